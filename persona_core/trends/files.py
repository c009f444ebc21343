"""What the trends' step leaves, and who reads it: forecasts, the counts they rest on, and what was said at earlier cut-offs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson

from persona_core.files import digest, write_beside, write_json
from persona_core.schema import Forecast
from persona_core.trends.backtest import BLEND, Backtest, bands
from persona_core.trends.panel import Panel
from persona_core.trends.signals import Signals, as_signals, before, by_chance, last, signals_of
from persona_core.trends.windows import DAY, Table, Windows
from persona_core.trends.words import outlook, reason
from persona_core.workspace import Artefact

NUMBERS, ABOUT, TOLD = "trends.safetensors", "trends.json", "told.json"
MODEL_FOLDER = "trend_model"
"""In the workspace: where a trend model is trained, and leaves what it said under the name of TOLD."""
OF_WINDOWS = ("counts", "stars", "rated", "first", "spoken", "praised")
OF_BACKTEST = ("expected", "came", "judged", "young")


@dataclass(frozen=True, slots=True)
class Told:
    """What the trend model said of an item: the reason, and its own number."""

    expected: float
    reason: str


@dataclass(frozen=True, eq=False)
class Trends:
    """The trends of one workspace, as built; nothing in it changes."""

    items: tuple[str, ...]
    panel: Panel
    backtest: Backtest
    """With the forecast of today's cut-off nowhere in it: that is `today`."""
    today: Table
    """What the blend expects of each item."""
    forecasters: tuple[Mapping[str, Any], ...]
    """Each with its name, its title in plain words, its share of the blend, and how good it was."""
    told: Mapping[str, Told]
    """What a trend model said as of today's cut-off; empty where none was asked."""
    model: str = ""

    @classmethod
    def of(cls, artefact: Artefact) -> Self:
        from safetensors.numpy import load_file

        about = orjson.loads(artefact.file(ABOUT).read_bytes())
        kept = load_file(artefact.file(NUMBERS))
        windows = Windows(about["word"], int(about["end"]), **{name: kept[name] for name in OF_WINDOWS})
        panel = Panel(windows, kept["groups"], tuple(about["scenarios"]), np.zeros((len(about["items"]), 0), np.float32))
        past = Backtest(tuple(about["names"]), tuple(about["ends"]), **{name: kept[f"past {name}"] for name in OF_BACKTEST})
        told = orjson.loads(artefact.file(TOLD).read_bytes())
        return cls(tuple(about["items"]), panel, past, kept["today"], tuple(about["forecasters"]),
                   {item: Told(**one) for item, one in told["items"].items()}, told["model"])  # fmt: skip

    # Looking -----------------------------------------------------------------------------------------------------------

    @cached_property
    def code(self) -> dict[str, int]:
        return {item: place for place, item in enumerate(self.items)}

    @property
    def windows(self) -> Windows:
        return self.panel.windows

    @property
    def word(self) -> str:
        return self.windows.word

    @property
    def goes_back(self) -> int:
        """So many windows earlier there is a forecast to look at."""
        return len(self.backtest.ends)

    def ends(self, back: int = 0) -> datetime:
        """The cut-off, so many windows earlier."""
        return datetime.fromtimestamp(self.windows.end - back * self.windows.days * DAY, UTC)

    def windows_at(self, back: int = 0) -> Windows:
        return self.windows.back(back) if back else self.windows

    def expected(self, back: int = 0) -> Table:
        """What was expected of each item's next window, as known so many windows earlier."""
        return self.backtest.of(BLEND)[len(self.backtest.ends) - back] if back else self.today

    def bounds(self, back: int = 0) -> tuple[Table, Table]:
        found: tuple[Table, Table] = self._at("bounds", back)
        return found

    def signals(self, back: int = 0) -> Signals:
        found: Signals = self._at("signals", back)
        return found

    def came(self, back: int) -> Table:
        """What then came in the window after that cut-off."""
        came: Table = self.windows.counts[:, self.windows.many - back]
        return came

    def rise(self, back: int = 0) -> Table:
        """See risen_over."""
        return risen_over(self.expected(back), self.windows_at(back))

    def forecast(self, item_id: str, back: int = 0) -> Forecast:
        """What is expected of the next window, within which bounds, and why; as known so many windows earlier."""
        place, windows = self.code[item_id], self.windows_at(back)
        low, high = self.interval(place, back)
        return Forecast(
            item_id=item_id,
            window_start=self.ends(back),
            window_end=self.ends(back - 1),
            expected=round(float(self.expected(back)[place]), 2),
            low=low,
            high=high,
            signals=as_signals(self.signals(back), place, windows.word),
            reason=self.reason(item_id, back),
        )

    def reason(self, item_id: str, back: int = 0) -> str:
        """By rule from the signals: every word of it can be checked. What a model said of today is in `told`."""
        place, windows = self.code[item_id], self.windows_at(back)
        if not windows.known[place]:
            return "Nobody has come to it yet, so there is nothing to go by but its neighbours."
        key = f"{item_id} {windows.end}"
        return reason(self.values(place, back), self.by_chance(place, back), self.way(place, back), windows.word, key)

    def interval(self, place: int, back: int = 0) -> tuple[float, float]:
        """The bounds of an item's forecast, which lies between them."""
        low, high = self.bounds(back)
        expected = float(self.expected(back)[place])
        return min(float(low[place]), float(np.floor(expected))), max(float(high[place]), float(np.ceil(expected)))

    def values(self, place: int, back: int = 0) -> dict[str, float]:
        """An item's signals, as far as they are known."""
        return {name: float(column[place]) for name, column in self.signals(back).items() if np.isfinite(column[place])}

    def by_chance(self, place: int, back: int = 0) -> bool:
        """Whether its last window differs from the usual one by no more than chance alone would bring."""
        return bool(self._at("chance", back)[place])

    def way(self, place: int, back: int = 0) -> str:
        """Whether more, fewer or about as many as usual are expected: up, down or same."""
        usual = float(before(self.windows_at(back))[place])
        return outlook(float(self.expected(back)[place]), None if np.isnan(usual) else usual)

    def since(self, item_id: str) -> datetime | None:
        """Since when it has been above (or below) what it was before, without a break; None where it is not."""
        place, windows = self.code[item_id], self.windows
        counts, usual = windows.counts[place], float(before(windows)[place])
        if np.isnan(usual) or self.by_chance(place):
            return None
        above = last(windows)[place] > usual
        start = windows.many - 1
        while start > max(int(windows.first[place]), 0) + 1 and (counts[start - 1] > usual) == above and windows.many - start < 6:
            start -= 1
        return datetime.fromtimestamp(windows.start_of(start), UTC)

    def _at(self, what: str, back: int) -> Any:
        """Worked out once for each cut-off."""
        makes = {
            "signals": lambda panel: signals_of(panel.windows, panel.groups),
            "chance": lambda panel: by_chance(panel.windows),
            "bounds": lambda panel: bands(self.backtest, BLEND, len(self.backtest.ends) - back, self.expected(back)),
        }
        panel = self.panel.back(back) if back else self.panel
        return panel.once(what, makes[what])


def write_trends(
    folder: Path, items: Sequence[str], panel: Panel, backtest: Backtest, today: Table,
    forecasters: Sequence[Mapping[str, Any]], told: Mapping[str, Told], model: str,
) -> None:  # fmt: skip
    from safetensors.numpy import save

    windows = panel.windows
    arrays = {name: np.ascontiguousarray(getattr(windows, name)) for name in OF_WINDOWS}
    arrays |= {f"past {name}": np.ascontiguousarray(getattr(backtest, name)) for name in OF_BACKTEST}
    arrays |= {"groups": panel.groups, "today": np.ascontiguousarray(today)}
    write_beside(folder / NUMBERS, save(arrays))
    about = {
        "word": windows.word, "end": windows.end, "scenarios": panel.scenarios, "items": list(items),
        "names": backtest.names, "ends": backtest.ends, "forecasters": list(forecasters),
    }  # fmt: skip
    write_json(folder / ABOUT, about)
    write_json(
        folder / TOLD,
        {"model": model, "items": {item: {"expected": one.expected, "reason": one.reason} for item, one in told.items()}},
    )


def risen_over(expected: Table, windows: Windows) -> Table:
    """log((1 + expected) / (1 + usual)): above 0 for what rises, below for what fades; 0 where nothing is usual yet."""
    usual = before(windows)
    return np.where(np.isnan(usual), 0.0, np.log((1 + expected) / (1 + np.nan_to_num(usual, nan=0.0))))


def fingerprint(windows: Windows, items: Sequence[str]) -> str:
    """Of the counts a forecast rests on: what a model said of others is not shown with these."""
    return digest(windows.counts.tobytes() + orjson.dumps([windows.word, windows.end, list(items)]))[:16]
