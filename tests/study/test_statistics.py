"""The statistics, held against known answers, another library and chance: what is not there is found as rarely as is stated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from persona_core.study.contrasts import Contrast, contrast, false_discovery, holm
from persona_core.study.reliability import alpha, omega

PEOPLE = 24


def between(seed: int, size: float = 0.0, people: int = PEOPLE, spread: float = 1.0) -> pd.DataFrame:
    """Half of them under each level; `size` is the difference in standard deviations of the first."""
    dice = np.random.default_rng(seed)
    values = [*(size + spread * dice.standard_normal(people)), *dice.standard_normal(people)]
    return pd.DataFrame({"participant": [f"p{at}" for at in range(2 * people)], "period": 0, "trust": values,
                         "factor_explanation": ["persona"] * people + ["none"] * people})  # fmt: skip


def within(seed: int, size: float = 0.0, people: int = PEOPLE, later: float = 0.0) -> pd.DataFrame:
    """Everybody meets both, half of them in either order; `later` is what the second period adds to everything."""
    dice = np.random.default_rng(seed)
    rows = []
    for at in range(people):
        own = dice.standard_normal()
        for period, level in enumerate(("persona", "none") if at % 2 else ("none", "persona")):
            value = own + 0.7 * dice.standard_normal() + size * (level == "persona") + later * period
            rows.append({"participant": f"p{at}", "period": period, "trust": value, "factor_explanation": level})
    return pd.DataFrame(rows)


def compared(units: pd.DataFrame, *, in_person: bool = False, direction: str = "differs") -> Contrast:
    found = contrast(units, "trust", "explanation", "persona", "none", within=in_person, direction=direction)
    assert found is not None
    return found


def test_between_subjects_it_is_welchs_test_with_its_interval() -> None:
    units = between(1, 0.5)
    one, other = (units.loc[units["factor_explanation"] == level, "trust"] for level in ("persona", "none"))
    found, known = compared(units), stats.ttest_ind(one, other, equal_var=False)
    assert found.p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval(0.95)))
    assert found.difference == pytest.approx(one.mean() - other.mean())
    assert compared(units, direction="more").p == pytest.approx(found.p / 2)
    assert compared(units, direction="less").p == pytest.approx(1 - found.p / 2)


def test_hedges_g_is_the_known_one() -> None:
    units = between(2, 0.5)
    one, other = (units.loc[units["factor_explanation"] == level, "trust"].to_numpy() for level in ("persona", "none"))
    pooled = np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
    assert compared(units).effect == pytest.approx((one.mean() - other.mean()) / pooled * (1 - 3 / (4 * (2 * PEOPLE - 2) - 1)))


def test_within_subjects_what_time_adds_is_taken_out() -> None:
    found = compared(within(3, 0.5, people=200, later=3.0), in_person=True)
    assert found.test == "mixed-effects model"
    assert found.difference == pytest.approx(0.5, abs=0.2)
    assert found.low < 0.5 < found.high
    assert found.p < 0.001


@pytest.mark.parametrize("in_person", [False, True])
def test_where_there_is_nothing_it_is_found_as_rarely_as_is_stated(in_person: bool) -> None:
    """At 5%: of so many worlds without a difference, as many false finds as chance allows for that rate, and no more or fewer."""
    made, many = (within, 150) if in_person else (between, 600)
    found = [compared(made(seed), in_person=in_person) for seed in range(many)]
    low, high = stats.binom.ppf([0.001, 0.999], many, 0.05)
    assert low <= sum(one.p < 0.05 for one in found) <= high
    assert low <= sum(one.p_rank < 0.05 for one in found) <= high
    covered = sum(one.low <= 0 <= one.high for one in found)
    assert many - high <= covered <= many - low


def test_people_who_vary_more_on_one_side_do_not_make_a_difference() -> None:
    found = [compared(pd.concat([between(seed, people=8, spread=5.0), between(seed + 10**6, people=40).iloc[40:]]).assign(
        participant=lambda frame: [f"q{at}" for at in range(len(frame))])) for seed in range(400)]  # fmt: skip
    assert sum(one.p < 0.05 for one in found) <= stats.binom.ppf(0.999, 400, 0.06)


def test_of_too_few_nothing_is_said_and_where_nobody_differs_nothing_is_found() -> None:
    assert contrast(between(1, people=3), "trust", "explanation", "persona", "none", within=False) is None
    assert contrast(between(1), "nothing", "explanation", "persona", "none", within=False) is None
    assert contrast(between(1).assign(trust=np.nan), "trust", "explanation", "persona", "none", within=False) is None
    for units, in_person in ((between(1), False), (within(1), True)):
        same = compared(units.assign(trust=4.0), in_person=in_person)
        assert (same.difference, same.p, same.effect) == (0.0, 1.0, 0.0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_corrections_are_those_of_statsmodels(p: list[float]) -> None:
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert false_discovery(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])


def test_no_tests_need_no_correction() -> None:
    assert holm([]) == false_discovery([]) == []


def one_factor(loadings: list[float], people: int = 20_000) -> np.ndarray:
    dice = np.random.default_rng(5)
    common = dice.standard_normal((people, 1))
    weights = np.array(loadings)
    return common * weights + dice.standard_normal((people, len(loadings))) * np.sqrt(1 - weights**2)


@pytest.mark.parametrize("loadings", [[0.8, 0.8, 0.8], [0.9, 0.7, 0.5, 0.6], [0.3, 0.3, 0.3]])
def test_alpha_and_omega_are_near_what_a_known_factor_gives(loadings: list[float]) -> None:
    values, sum_ = one_factor(loadings), sum(loadings)
    known = sum_**2 / (sum_**2 + sum(1 - one**2 for one in loadings))
    found = omega(values)
    assert found == pytest.approx(known, abs=0.03)
    one = alpha(values)
    assert one is not None
    assert one <= known + 0.03, "alpha is a lower bound"
    if len(set(loadings)) == 1:
        assert one == pytest.approx(known, abs=0.03)


def test_of_two_items_alpha_is_told_and_omega_is_not() -> None:
    values = one_factor([0.8, 0.8])
    r = np.corrcoef(values, rowvar=False)[0, 1]
    assert alpha(values) == pytest.approx(2 * r / (1 + r), abs=0.01), "Spearman and Brown's"
    assert omega(values) is None
    assert alpha(np.full((10, 3), 4.0)) is None
    assert omega(np.full((20, 3), 4.0)) is None
