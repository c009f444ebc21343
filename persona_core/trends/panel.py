"""What every forecaster is given: the windows up to a cut-off, and what was known of the items before anybody came to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from persona_core.ranking.scorer import Codes
from persona_core.text.encoder import Matrix
from persona_core.trends.windows import DAY, Table, Windows

YOUNG = 3
"""An item that was met in fewer windows than this is new: it has no past to speak of."""
NEAR = 10
"""So many items that read alike lend a new one their beginnings."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    windows: Windows
    groups: Codes
    """Each item's scenario, as a number."""
    scenarios: tuple[str, ...]
    vectors: Matrix
    """What its maker says of it, as a vector of length 1: known before its first review, and so no leak. Zeros where nothing is."""
    worked_out: dict[tuple[str, int], Any] = field(default_factory=dict)
    """What was computed of a cut-off, by its name and the number of windows: a panel shares it with all that go back from it."""

    def back(self, windows: int) -> Panel:
        return replace(self, windows=self.windows.back(windows))

    def once(self, name: str, make: Callable[[Panel], Any]) -> Any:
        """What `make` says of this panel; it is asked once."""
        return self._kept((name, self.windows.many), make)

    def always(self, name: str, make: Callable[[Panel], Any]) -> Any:
        """The same for what does not depend on the cut-off."""
        return self._kept((name, -1), make)

    def _kept(self, key: tuple[str, int], make: Callable[[Panel], Any]) -> Any:
        if key not in self.worked_out:
            self.worked_out[key] = make(self)
        return self.worked_out[key]

    @property
    def young(self) -> Table:
        return self.windows.known & (self.windows.age < YOUNG)


def phase(windows: Windows) -> tuple[float, float]:
    """Where in the year the middle of the coming window lies, as a point on a circle."""
    middle = windows.end + windows.days * DAY / 2
    turn = 2 * np.pi * (middle / (365.25 * DAY))
    return float(np.sin(turn)), float(np.cos(turn))


def beginnings(panel: Panel) -> Table:
    """See `_beginnings`; worked out once."""
    found: Table = panel.once("beginnings", _beginnings)
    return found


def _beginnings(panel: Panel) -> Table:
    """What a new item's next window brings, going by the beginnings of the items of its scenario that read most like it.

    NaN for items that are not new. An item's own short past counts beside the others', the longer the more.
    """
    windows = panel.windows
    launched = np.flatnonzero((windows.first >= 0) & (windows.first < windows.many))
    found = np.full(len(windows.counts), np.nan)
    lenders: dict[tuple[int, int], Codes] = {}
    for item in np.flatnonzero(panel.young).tolist():
        age, group = int(windows.age[item]), int(panel.groups[item])
        if (age, group) not in lenders:  # all that were there for longer; the item itself never is
            like = launched[windows.age[launched] > age]
            same = like[panel.groups[like] == group]
            lenders[age, group] = (same if len(same) else like).astype(np.int32)
        own = windows.counts[item, windows.many - age :]
        found[item] = _with_others(panel, item, lenders[age, group], age, own)
    return found


def _with_others(panel: Panel, item: int, others: Codes, age: int, own: Table) -> float:
    windows = panel.windows
    if not len(others):
        return float(own.mean())
    own_vector = panel.vectors[item]
    near = others[:NEAR]  # where nothing is known of what it is like, those that stand first
    if own_vector.any():
        near = others[np.argsort(-(panel.vectors[others] @ own_vector), kind="stable")[:NEAR]]
    curves = np.stack([windows.counts[one, windows.first[one] : windows.first[one] + age + 1] for one in near])
    weight = age / (age + 1.0)  # the window of the first day is rarely whole, and chance is large in it
    ahead = curves[:, age].mean()
    before = max(curves[:, :age].mean(), 0.25)
    grown = own.mean() * ahead / before  # as the others went on from where it stands
    return float(weight * min(grown, 4 * max(own.max(), ahead)) + (1 - weight) * ahead)
