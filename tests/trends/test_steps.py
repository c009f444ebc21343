"""The trends' step: forecasts with reasons that hold, kept whole, looked at as of earlier cut-offs, and told on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest
from click.testing import CliRunner

from persona_core.cli import main
from persona_core.engine import Engine
from persona_core.explain.reasons import RISING, TIMES
from persona_core.ranking.parts import TREND
from persona_core.steps import pipeline_of
from persona_core.trends.backtest import BLEND
from persona_core.trends.files import Trends, fingerprint
from persona_core.trends.signals import before
from persona_core.trends.steps import FORECASTERS, MEMBERS
from persona_core.trends.words import holds, outlook, statements_in
from persona_core.workspace import Workspace


@pytest.fixture
def trends(built_demo: Workspace) -> Trends:
    return Trends.of(built_demo.artefact("trends"))


def test_every_item_has_a_forecast_within_its_bounds(trends: Trends) -> None:
    for back in (0, 3, trends.goes_back):
        for item in trends.items:
            found = trends.forecast(item, back)
            assert 0 <= found.low <= found.expected <= found.high
            assert found.window_start < found.window_end
            assert found.reason


def test_every_statement_of_every_reason_holds(trends: Trends) -> None:
    for back in (0, 4):
        windows, signals = trends.windows_at(back), trends.signals(back)
        for item in trends.items:
            place = trends.code[item]
            values = {name: float(column[place]) for name, column in signals.items() if np.isfinite(column[place])}
            usual = float(before(windows)[place])
            way = outlook(float(trends.expected(back)[place]), None if np.isnan(usual) else usual)
            found = statements_in(trends.reason(item, back))
            assert found or not windows.known[place]
            for one in found:
                if one.signal == "momentum" and one.way == "same":
                    continue
                assert holds(one, values, False, way), (item, back, one)


def test_what_was_said_earlier_knew_only_what_was_earlier(trends: Trends) -> None:
    assert trends.goes_back >= 6
    assert trends.ends(1) < trends.ends(0)
    for back in (1, 5):
        assert trends.windows_at(back).many == trends.windows.many - back
        assert (trends.came(back) == trends.windows.counts[:, trends.windows.many - back]).all()
        assert trends.forecast(trends.items[0], back).window_end == trends.ends(back - 1)


def test_forecasters_are_described_and_compared(trends: Trends) -> None:
    assert [one["name"] for one in trends.forecasters] == [*(one.name for one in FORECASTERS), BLEND]
    assert sum(one["share"] for one in trends.forecasters) == pytest.approx(1.0, abs=0.01)
    assert {one["name"] for one in trends.forecasters if one["share"] > 0} <= set(MEMBERS)
    best = {one["name"]: one["MAE"] for one in trends.forecasters}
    assert best[BLEND] < best["last value"], "it is worth having"


def test_the_score_has_a_part_that_rises_with_what_is_foretold(built_demo: Workspace) -> None:
    engine = Engine.open(built_demo)
    ranked = engine.rank(engine.profile("u0012"))
    values = np.array([{part.name: part.value for part in ranked.scores.parts(item)}[TREND] for item in range(len(engine.items))])
    assert engine.trends is not None
    assert np.argmax(values) == np.argmax(engine.trends.rise())
    assert values.min() == 0
    assert values.max() == pytest.approx(engine.options.weights.trend)


def test_what_rises_is_given_as_a_reason_and_nothing_else_is(built_demo: Workspace) -> None:
    engine = Engine.open(built_demo)
    assert engine.trends is not None
    rise, ranked = engine.trends.rise(), engine.rank(engine.profile("u0012"))
    for place in [int(np.argmax(rise)), int(np.argmin(rise)), 5, 50, 100]:
        reasons = [one for one in engine.explain(ranked, engine.items[place].id).reasons if one.part == TREND]
        assert bool(reasons) == (rise[place] >= RISING)
        for one in reasons:
            momentum = float(engine.trends.signals()["momentum"][place])
            assert ("times its usual" in one.text) <= (momentum >= TIMES)


def test_an_engine_does_without_trends(built_tiny: Workspace) -> None:
    (built_tiny.step_folder("trends") / "current").unlink()
    engine = Engine.open(built_tiny)
    assert engine.trends is None
    assert all(part.value == 0 for one in engine.recommend(engine.newcomer("x")) for part in one.parts if part.name == TREND)


def test_a_damaged_forecast_is_told_and_built_again(built_tiny: Workspace) -> None:
    made = built_tiny.artefact("trends")
    made.file("trends.json").write_bytes(b"{}")
    states = {one.step.name: one.state for one in pipeline_of(built_tiny).status()}
    assert states["trends"] == "broken"
    pipeline_of(built_tiny).build()
    assert Trends.of(built_tiny.artefact("trends")).items


# What a model said -------------------------------------------------------------------------------------------------------


def write_told(place: Workspace, counts: str) -> None:
    folder = place.root / "trend_model"
    folder.mkdir(exist_ok=True)
    said = {"model": "tiny", "counts": counts, "items": {"i0": {"expected": 3.5, "reason": "It draws about as many."}}}
    (folder / "told.json").write_bytes(orjson.dumps(said))


def test_what_a_model_said_is_kept_with_the_counts_it_was_asked_about_and_no_others(built_tiny: Workspace) -> None:
    trends = Trends.of(built_tiny.artefact("trends"))
    assert not trends.told
    write_told(built_tiny, "others")
    pipeline_of(built_tiny).build()
    assert not Trends.of(built_tiny.artefact("trends")).told
    write_told(built_tiny, fingerprint(trends.windows, trends.items))
    pipeline_of(built_tiny).build()
    found = Trends.of(built_tiny.artefact("trends"))
    assert found.model == "tiny"
    assert found.told["i0"].expected == 3.5
    (built_tiny.root / "trend_model" / "told.json").write_bytes(b"half a fi")
    pipeline_of(built_tiny).build()
    assert not Trends.of(built_tiny.artefact("trends")).told


# The command -------------------------------------------------------------------------------------------------------------


def run(place: Workspace, *words: str) -> tuple[int, str]:
    found = CliRunner().invoke(main, ["trends", *words, "--workspace", str(place.root)])
    return found.exit_code, found.output


def test_the_command_tells_a_forecast_and_its_signals(built_tiny: Workspace) -> None:
    code, text = run(built_tiny, "i0")
    assert code == 0, text
    assert "expected in the" in text
    assert "age" in text
    code, text = run(built_tiny, "i0", "--json")
    assert code == 0
    assert orjson.loads(text)["forecast"]["item_id"] == "i0"


@pytest.mark.parametrize(("words", "says"), [(("nothing",), "There is no item"), (("i0", "--back", "99"), "go back")])
def test_the_command_refuses_in_words(built_tiny: Workspace, words: tuple[str, ...], says: str) -> None:
    code, text = run(built_tiny, *words)
    assert code != 0
    assert says in text


def test_training_without_a_model_is_refused_in_words(built_tiny: Workspace, tmp_path: Path) -> None:
    (tmp_path / "weights.gguf").write_bytes(b"nothing")
    found = CliRunner().invoke(
        main, ["train-trends", "--weights", str(tmp_path / "weights.gguf"), "--workspace", str(built_tiny.root)]
    )
    assert found.exit_code != 0
    assert "too little time" in found.output or "no language model" in found.output
