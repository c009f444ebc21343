"""What the page of trends looks at: the trends as of one cut-off, and how counts and dates are said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from persona_core.engine import Engine
from persona_core.trends.backtest import BLEND
from persona_core.trends.files import Trends
from persona_core.trends.signals import before
from persona_core.trends.windows import Table, Windows


@dataclass(frozen=True, eq=False)
class Seen:
    """The trends as they were known so many windows ago."""

    engine: Engine
    trends: Trends
    back: int = 0

    @property
    def windows(self) -> Windows:
        return self.trends.windows_at(self.back)

    @property
    def word(self) -> str:
        return self.trends.word

    @property
    def usual(self) -> Table:
        """Of each item the usual window; NaN where nothing is usual yet."""
        return before(self.windows)

    def came(self, item: int) -> int | None:
        """What came after the cut-off; None where that is still to come."""
        return int(self.trends.came(self.back)[item]) if self.back else None

    def forecast(self, item: int, back: int) -> dict[str, float]:
        """What was expected of the item so many windows ago, between which bounds, as `Trends.forecast` gives them."""
        low, high = self.trends.interval(item, back)
        return {"people": round(float(self.trends.expected(back)[item]), 1), "low": low, "high": high}

    def values(self, item: int) -> dict[str, float]:
        """The item's signals, as far as they are known."""
        return self.trends.values(item, self.back)

    def by_chance(self, item: int) -> bool:
        return self.trends.by_chance(item, self.back)

    def way(self, item: int) -> str:
        """Whether more, fewer or about as many as usual are expected: up, down or same."""
        return self.trends.way(item, self.back)

    def title(self, item: int) -> str:
        one = self.engine.item(self.trends.items[item])
        return " ".join((one.title or one.id).split())


def held(trends: Trends) -> float | None:
    """In how many of a hundred cases the ranges of this page's forecasts held what came, as a share; None where nobody could tell."""
    found = next((one.get("covered") for one in trends.forecasters if one.get("name") == BLEND), None)
    return float(found) if isinstance(found, int | float) else None


# Words -------------------------------------------------------------------------------------------------------------------


def people(count: float) -> str:
    return f"{count:,.0f} {'person' if round(count) == 1 else 'people'}"


def about(expected: float) -> str:
    """A forecast in words: nobody comes in halves."""
    return "hardly anybody" if expected < 0.5 else f"about {people(expected)}"


def usually(usual: float) -> str:
    """What is usual, with a digit after the point where it is not whole."""
    return "nothing is usual yet" if np.isnan(usual) else f"{usual:.1f}".removesuffix(".0") + " is usual"


def date(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
