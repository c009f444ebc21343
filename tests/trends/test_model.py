"""The trend model, with a tiny random one as its base: what it is shown, what it learns, and that a kill loses nothing."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from persona_core.errors import PersonaError
from persona_core.llm.base_model import load_base
from persona_core.schema import Item
from persona_core.steps import pipeline_of
from persona_core.trends.files import MODEL_FOLDER, TOLD, Trends
from persona_core.trends.model import working
from persona_core.trends.model.examples import Example, batches, examples_at, in_prompt, training_examples
from persona_core.trends.model.head import fit_head
from persona_core.trends.model.network import NEEDED, TrendNetwork
from persona_core.trends.model.training import ADAPTERS, STATE, Training, losses, train
from persona_core.trends.model.working import exported, faith, numbers, opened, told_apart, work
from persona_core.trends.panel import Panel
from persona_core.trends.words import holds, statements_in
from persona_core.workspace import Workspace
from tests.support.tiny_lm import write_tiny_lm
from tests.trends.made import panel_of

MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
needs_peft = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (pip install -r requirements-train.txt)")
pytestmark = pytest.mark.xdist_group("encoder")

SHORT = Training(steps=6, batch=4, rank=2, rate=1e-2, head_rate=1e-2, warm_up=1)
rng = np.random.default_rng(3)
SERIES = [[1 + int(rng.poisson(3 + 5 * (item % 3) * window / 12)) for window in range(12)] for item in range(6)]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(SERIES)


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return [
        Item(id=f"i{place}", scenario="kitchen", title=f"Pan {place}", description="A pan of iron.") for place in range(len(SERIES))
    ]


@pytest.fixture(scope="module")
def past(panel: Panel, items: list[Item]) -> list[list[Example]]:
    return training_examples(panel, items, 7, frozenset())


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, past: list[list[Example]]) -> Path:
    texts = [text for some in past for one in some for text in (one.prompt, one.bridge(), one.reason, *one.false)]
    return write_tiny_lm(tmp_path_factory.mktemp("tiny-lm"), texts)


def network(base: Path, past: list[list[Example]]) -> TrendNetwork:
    model, tokenizer = load_base(base)
    return TrendNetwork(model, tokenizer, [text for some in past for one in some for text in (one.reason, *one.false)], 2, 7)


# What it is shown --------------------------------------------------------------------------------------------------------


def test_an_example_knows_nothing_of_what_came(panel: Panel, items: list[Item]) -> None:
    came = panel.windows.counts[:, -1]
    one, other = (examples_at(panel.back(1), items, what, 7) for what in (came, came + 50))
    assert [example.prompt for example in one] == [example.prompt for example in other]
    assert [example.base for example in one] == [example.base for example in other]
    assert [example.target for example in one] == pytest.approx(np.log1p(came).tolist())


def test_true_reasons_hold_and_false_ones_differ(past: list[list[Example]]) -> None:
    for one in [example for examples in past for example in examples]:
        assert all(holds(each, one.values, one.by_chance, one.way()) for each in statements_in(one.reason))
        assert one.false
        assert one.reason not in one.false


def test_parts_can_be_left_out_of_the_prompt(panel: Panel, items: list[Item]) -> None:
    whole, no_signals, no_text = (
        examples_at(panel, items, None, 7, frozenset(parts))[0].prompt for parts in ((), ("signals",), ("text",))
    )
    assert "Signals:" in whole
    assert "Pan 0" in whole
    assert "Signals:" not in no_signals
    assert "Pan 0" not in no_text
    assert math.isnan(examples_at(panel, items, None, 7)[0].target)


def test_only_what_stands_out_is_in_the_prompt_with_its_direction() -> None:
    assert in_prompt({"momentum": 2.3, "slope": 0.01, "last": 3}, False) == ["momentum up 2.3 times"]
    assert in_prompt({"slope": 0.2, "acceleration": 2.0}, False) == ["slope up 20%", "acceleration up"]
    assert in_prompt({"momentum": 3.0, "recency": 3, "rating_change": -0.4, "burstiness": 0.2}, True) == [
        "recency 3 ago", "rating down 0.4 stars", "in bursts",
    ]  # fmt: skip
    assert in_prompt({"slope": 0.01}, False) == in_prompt({}, False) == ["nothing stands out"]


def test_batches_are_of_one_cut_off_and_the_same_for_the_same_seed(past: list[list[Example]]) -> None:
    one, other = (batches(past, 4, 5) for _ in range(2))
    for _ in range(10):
        batch = next(one)
        assert len({example.end for example in batch}) == 1
        assert batch == next(other)


# The network -------------------------------------------------------------------------------------------------------------


@needs_peft
def test_a_reason_sees_the_prompt_and_itself_and_no_other_reason(base: Path, past: list[list[Example]]) -> None:
    from dataclasses import replace

    import torch

    net = network(base, past)
    example = next(one for some in past for one in some if len(one.false) == 2)
    alone = replace(example, false=example.false[:1])
    turned = replace(example, false=example.false[::-1])
    with torch.no_grad():
        whole, one, other = (net([each]).likely[0] for each in (example, alone, turned))
    assert torch.allclose(whole[:2], one, atol=1e-5)
    assert torch.allclose(whole[[0, 2, 1]], other, atol=1e-5)


@needs_peft
def test_neighbours_in_a_batch_change_nothing(base: Path, past: list[list[Example]]) -> None:
    import torch

    net = network(base, past)
    some = past[-1][:3]
    with torch.no_grad():
        together = net(some)
        for row, one in enumerate(some):
            assert torch.allclose(together.logs[row], net([one]).logs[0], atol=1e-5)
    assert numbers(net, some) == pytest.approx(np.expm1(together.logs.numpy()), abs=1e-4)


@needs_peft
def test_before_training_the_number_is_that_of_the_trees(base: Path, past: list[list[Example]]) -> None:
    net = network(base, past)
    assert numbers(net, past[-1]) == pytest.approx([math.expm1(one.base) for one in past[-1]])


@needs_peft
def test_only_adapters_and_the_head_learn(base: Path, past: list[list[Example]]) -> None:
    net = network(base, past)
    batch = past[-1][:4]
    parts = losses(net(batch), batch, SHORT)
    assert set(parts) == {"number", "order", "words", "contrast"}
    total: Any = sum(parts.values())
    total.backward()
    assert all(torch_ok(one.grad) for one in net.trained.values())
    assert all(one.grad is None for name, one in net.model.named_parameters() if "lora" not in name)


def torch_ok(grad: Any) -> bool:
    import torch

    return grad is not None and bool(torch.isfinite(grad).all())


@needs_peft
def test_it_says_only_words_of_reasons_and_comes_to_an_end(base: Path, past: list[list[Example]]) -> None:
    net = network(base, past)
    (said,) = net.say([(past[-1][0].prompt, past[-1][0].bridge())], most=20)
    assert said
    assert set(net.tokens(said)) <= set(net.words.tolist())
    found, texts = faith(net, past[-1][:2], np.array([1.0, 1.0]))
    assert found.reasons == len(texts) == 2
    assert found.right <= found.statements


def test_the_words_know_the_number(panel: Panel, items: list[Item]) -> None:
    one = next(each for each in examples_at(panel, items, None, 7, frozenset()) if each.usual)
    assert one.usual
    assert "more than usual" in one.bridge(one.usual * 3 + 1)
    assert "fewer than usual" in one.bridge(0.0)
    assert one.bridge(4.04).startswith(" 4.0, ")
    assert one.way(one.usual * 3 + 1) == "up"


@needs_peft
def test_it_says_the_same_alone_and_among_others(base: Path, past: list[list[Example]]) -> None:
    net = network(base, past)
    asked = [(one.prompt, one.bridge()) for one in past[-1][:4]]
    assert len({len(net.asked(prompt)) for prompt, _ in asked}) > 1
    assert net.say(asked, most=12) == [net.say([one], most=12)[0] for one in asked]


@needs_peft
def test_the_number_does_not_see_what_leads_over_to_the_words(base: Path, past: list[list[Example]]) -> None:
    net = network(base, past)
    batch = past[-1][:2]
    import torch

    with torch.no_grad():
        one = net(batch).logs
        other = net([replace(each, target=each.target + 1.0) for each in batch]).logs
    assert torch.allclose(one, other, atol=1e-6)


@needs_peft
def test_the_head_is_fitted_to_what_came(base: Path, past: list[list[Example]]) -> None:
    net = network(base, past)
    examples = [one for some in past for one in some]
    before = np.log1p(numbers(net, examples)) - np.array([one.target for one in examples])
    told: list[tuple[int, int]] = []
    fit_head(net, past, lambda done, total: told.append((done, total)))
    after = np.log1p(numbers(net, examples)) - np.array([one.target for one in examples])
    assert (after**2).mean() < (before**2).mean()
    assert told[-1] == (len(examples), len(examples))


# Training ----------------------------------------------------------------------------------------------------------------


@needs_peft
def test_it_learns(base: Path, past: list[list[Example]], tmp_path: Path) -> None:
    net = network(base, past)
    curve = train(net, past, Training(steps=60, batch=6, rank=4, rate=2e-2, head_rate=1e-2, warm_up=2), tmp_path)
    first, last = (sum(one["words"] + one["contrast"] for one in part) for part in (curve[:5], curve[-5:]))
    assert last < first - 1.0
    right, of = told_apart(net, past[-1])
    assert 0 <= right <= of == len(past[-1])


@needs_peft
def test_stopped_at_any_step_it_goes_on_and_leaves_the_same(base: Path, past: list[list[Example]], tmp_path: Path) -> None:
    train(network(base, past), past, SHORT, tmp_path / "whole", every=2)
    for stop in (1, 3, 4):
        folder = tmp_path / f"stopped-{stop}"
        train(network(base, past), past, SHORT, folder, every=2, stop_after=stop)
        train(network(base, past), past, SHORT, folder, every=2)
        name = f"{SHORT.steps}.{ADAPTERS}"
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@needs_peft
def test_another_training_is_not_gone_on_from_and_damage_begins_anew(base: Path, past: list[list[Example]], tmp_path: Path) -> None:
    train(network(base, past), past, SHORT, tmp_path, every=2)
    done: list[int] = []
    train(network(base, past), past, replace(SHORT, seed=8), tmp_path, every=2, told=lambda step, *_: done.append(step))
    assert done[0] == 1
    longer = replace(SHORT, seed=8, steps=8)
    done.clear()
    train(network(base, past), past, longer, tmp_path, every=2, told=lambda step, *_: done.append(step))
    assert done == [7, 8], "more steps of the same go on"
    (tmp_path / STATE).write_bytes(b"{")
    done.clear()
    train(network(base, past), past, longer, tmp_path, every=2, told=lambda step, *_: done.append(step))
    assert done[0] == 1


@needs_peft
def test_what_is_kept_is_safetensors_and_json(base: Path, past: list[list[Example]], tmp_path: Path) -> None:
    train(network(base, past), past, SHORT, tmp_path, every=2)
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json"}
    assert orjson.loads((tmp_path / STATE).read_bytes())["step"] == SHORT.steps


@needs_peft
def test_the_export_is_read_by_the_library_and_says_the_same(base: Path, past: list[list[Example]], tmp_path: Path) -> None:
    import torch
    from peft import PeftModel

    net = network(base, past)
    train(net, past, SHORT, tmp_path / "work")
    file = exported(net, base, tmp_path / "out")
    text = file.read_text("utf-8")
    assert f"FROM {base.resolve()}" in text
    assert "ADAPTER ./adapter" in text
    again: Any = PeftModel.from_pretrained(load_base(base)[0], tmp_path / "out" / "adapter")
    tokens = torch.tensor([net.asked(past[-1][0].prompt)])
    with torch.no_grad():
        one, other = (model.base_model.model.model(input_ids=tokens).last_hidden_state for model in (net.model, again))
    assert torch.allclose(one, other, atol=1e-6)


@needs_peft
def test_the_whole_work_leaves_what_the_next_build_shows_and_nothing_that_does_not_hold(
    built_tiny: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, items = opened(built_tiny)
    texts = [
        text
        for some in training_examples(panel, items, 7, frozenset())
        for one in some
        for text in (one.prompt, one.bridge(), one.reason, *one.false)
    ]
    lm = write_tiny_lm(tmp_path / "lm", texts)
    work(built_tiny, lm, replace(SHORT, steps=2))
    said = orjson.loads((built_tiny.root / MODEL_FOLDER / TOLD).read_bytes())["items"]
    assert len(said) < len(items), "a model of two steps does not tell the truth of everything"
    monkeypatch.setattr(working, "wholly_borne_out", lambda *_: True)
    found = work(built_tiny, lm, replace(SHORT, steps=2))
    assert found["judged"]["examples"] > 0
    assert 0 <= found["judged"]["statements right"] <= 1
    assert Path(found["modelfile"]).exists()
    pipeline_of(built_tiny).build()
    shown = Trends.of(built_tiny.artefact("trends"))
    assert shown.model == "lm"
    assert set(shown.told) == {items[place].id for place in np.flatnonzero(panel.windows.known)}


@needs_peft
def test_no_model_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"no model")
    for weights in (tmp_path, tmp_path / "model.gguf"):
        with pytest.raises(PersonaError, match="holds no language model"):
            load_base(weights)
