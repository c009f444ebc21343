"""What a study found: who came through, how well the scales hold, and the differences; what was planned apart from what was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from persona_core.study.assignment import assigned
from persona_core.study.contrasts import Contrast, contrast, false_discovery, holm
from persona_core.study.design import MEASURED, Study
from persona_core.study.reliability import Reliability, reliabilities
from persona_core.study.tables import Tables

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Level:
    """One outcome under one level of a factor."""

    outcome: str
    factor: str
    level: str
    people: int
    mean: float
    low: float
    high: float
    """95% interval of the mean."""
    spread: float


@dataclass(frozen=True, slots=True)
class Finding:
    contrast: Contrast
    planned: bool
    p_corrected: float
    """Planned: after Holm, over all that was planned. Exploratory: after Benjamini and Hochberg, over all that was not."""

    @property
    def holds(self) -> bool:
        return self.p_corrected < ALPHA


@dataclass(frozen=True, slots=True)
class Progress:
    """What can be said while it runs, without looking at what anybody answered."""

    people: Mapping[str, int]
    reached: Mapping[str, int]
    """By page: how many have finished it."""
    by_condition: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Analysis(Progress):
    reliabilities: tuple[Reliability, ...]
    levels: tuple[Level, ...]
    findings: tuple[Finding, ...]
    unanswered: tuple[str, ...]
    """What was planned and cannot be said, for want of people."""

    @property
    def planned(self) -> list[Finding]:
        return [one for one in self.findings if one.planned]

    @property
    def exploratory(self) -> list[Finding]:
        return [one for one in self.findings if not one.planned]

    def as_dict(self) -> dict[str, Any]:
        """All its figures, rounded so that another machine's last digit does not matter."""
        found = asdict(self)
        for one, finding in zip(found["findings"], self.findings, strict=True):
            one["holds"] = finding.holds
        rounded: dict[str, Any] = _rounded(found)
        return rounded


def progress_of(study: Study, tables: Tables) -> Progress:
    return _Work(study, tables).progress()


def analysed(study: Study, tables: Tables) -> Analysis:
    """The same tables give the same figures."""
    return _Work(study, tables).analysis()


@dataclass(frozen=True)
class _Work:
    study: Study
    tables: Tables

    @cached_property
    def units(self) -> pd.DataFrame:
        found = self.tables.units
        return found[found["kept"].astype(bool)] if len(found) else found

    @property
    def outcomes(self) -> list[str]:
        """What was asked and what is measured, as far as there is anything of it."""
        constructs = sorted(set(self.units) - {"participant", "number", "period", "kept"} - set(MEASURED) - self._factors)
        return [*constructs, *(one for one in MEASURED if one in self.units and self.units[one].nunique() > 1)]

    @property
    def _factors(self) -> set[str]:
        return {f"factor_{name}" for name in self.study.factors}

    @property
    def _kept(self) -> set[str]:
        people = self.tables.participants
        return set(people.loc[people["kept"].astype(bool), "participant"]) if len(people) else set()

    def progress(self) -> Progress:
        people = self.tables.participants
        counts = {"came": len(people), "finished": int(people["finished"].sum()), "left": int(people["withdrawn"].sum()),
                  "failed_a_check": int((people["failed_checks"] > 0).sum()), "analysed": len(self._kept)}  # fmt: skip
        return Progress(counts, self._reached(), self._by_condition())

    def analysis(self) -> Analysis:
        now = self.progress()
        scales = tuple(reliabilities(self._scales(), self._kept))
        return Analysis(now.people, now.reached, now.by_condition, scales, self._levels(), *self._findings())

    def _scales(self) -> pd.DataFrame:
        answers = self.tables.answers
        scales = self.study.scale_items
        if not len(answers):
            return answers
        pairs = zip(answers["questionnaire"], answers["item"], strict=True)
        return answers[[pair in scales for pair in pairs]]

    def _reached(self) -> dict[str, int]:
        events = self.tables.events
        done = events[events["kind"] == "done"].groupby("step")["participant"].nunique() if len(events) else {}
        return {step.id: int(done.get(step.id, 0)) for step in self.study.path}

    def _by_condition(self) -> tuple[Mapping[str, Any], ...]:
        """How many began and finished each condition; times and failed checks of those who finished it."""
        people = self.tables.participants.set_index("participant") if len(self.tables.participants) else pd.DataFrame()
        met = {who: [dict(one) for one in assigned(self.study, int(number))] for who, number in people.get("number", {}).items()}
        rows = []
        for condition in self.study.conditions:
            own = [who for who, conditions in met.items() if dict(condition) in conditions]
            mine = people.loc[own] if own else people[:0]
            done = mine[mine["finished"].astype(bool)] if len(mine) else mine
            rows.append({**condition, "came": len(mine), "finished": len(done),
                         "failed_a_check": int((mine["failed_checks"] > 0).sum()) if len(mine) else 0,
                         "minutes": float(done["minutes"].median()) if len(done) else None})  # fmt: skip
        return tuple(rows)

    def _levels(self) -> tuple[Level, ...]:
        found = []
        for outcome in self.outcomes:
            for factor, levels in self.study.factors.items():
                for level in levels:
                    rows = self.units[self.units[f"factor_{factor}"] == level]
                    values = rows.groupby("participant")[outcome].mean().dropna().to_numpy(float)
                    if len(values) >= 2:
                        half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)) if values.std() else 0.0
                        mean = float(values.mean())
                        found.append(
                            Level(outcome, factor, level, len(values), mean, mean - half, mean + half, float(values.std(ddof=1)))
                        )
        return tuple(found)

    def _findings(self) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        planned, unanswered = [], []
        for one in self.study.hypotheses:
            found = self._contrast(one.outcome, one.factor, one.level, one.against, one.direction)
            if found is None:
                unanswered.append(one.words)
            else:
                planned.append(found)
        asked = {(one.outcome, one.factor, one.level, one.against) for one in self.study.hypotheses}
        rest = []
        for outcome in self.outcomes:
            for factor, (first, *levels) in self.study.factors.items():
                for level in levels:
                    if (outcome, factor, level, first) not in asked and (outcome, factor, first, level) not in asked:
                        rest.append(self._contrast(outcome, factor, level, first, "differs"))
        explored = [one for one in rest if one is not None]
        corrected = (*holm([one.p for one in planned]), *false_discovery([one.p for one in explored]))
        both = [(one, True) for one in planned] + [(one, False) for one in explored]
        return tuple(Finding(one, how, p) for (one, how), p in zip(both, corrected, strict=True)), tuple(unanswered)

    def _contrast(self, outcome: str, factor: str, level: str, against: str, direction: str) -> Contrast | None:
        others = [name for name in self.study.factors if name != factor]
        return contrast(self.units, outcome, factor, level, against, within=self.study.within, direction=direction, others=others)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    if isinstance(value, float | np.floating):
        return round(float(value), 6) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
