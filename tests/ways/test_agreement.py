"""The two slow judges, and what it means that judges agree."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.llm.base_model import load_base
from persona_core.profiles.evidence import Visit, pleased
from persona_core.profiles.ways.agreement import AskingJudge, Heard, ReadingJudge, agreement, feeling_of, heard, told_lines
from persona_core.profiles.ways.exploring import Way
from persona_core.schema import Item, Profile
from tests.support.scripted import Scripted
from tests.support.tiny_lm import write_tiny_lm

MISSING = [name for name in ("transformers", "tokenizers") if importlib.util.find_spec(name) is None]
ITEMS = [Item(id=f"i{n}", title=f"Thing {n}", scenario="home", description=f"It is number {n}.") for n in range(4)]
RECENT = (Visit("r0", 0, 100, pleased(5.0)), Visit("r1", 1, 200, pleased(1.0)))
SINCE = (Visit("r2", 2, 300, pleased(5.0)), Visit("r3", 3, 400, pleased(1.0)))
PERSON = Heard("u", RECENT, SINCE)
scores = st.dictionaries(st.sampled_from("abc"), st.dictionaries(st.sampled_from("wxyz"), st.integers(-3, 3).map(float)), min_size=1)


def way(style: str, lines: str) -> Way:
    return Way(user_id="u", boundary=0, source="m", style=style, profile=Profile(user_id="u", version=1, text=lines), borne_out=1.0,
               lines=lines)  # fmt: skip


@given(scores)
def test_a_judge_agrees_with_itself_and_never_with_its_contrary(one: dict[str, dict[str, float]]) -> None:
    found = agreement(one, one)
    contrary = agreement(one, {user: {key: -value for key, value in row.items()} for user, row in one.items()})
    assert (found is None) == (contrary is None)
    if found and contrary:
        assert found.same == 1
        assert contrary.same == 0
        assert found.pairs == contrary.pairs


@given(scores, scores)
def test_agreement_is_mutual_and_ties_count_for_nothing(one: dict[str, dict[str, float]], other: dict[str, dict[str, float]]) -> None:
    found, turned = agreement(one, other), agreement(other, one)
    assert (found is None) == (turned is None)
    if found and turned:
        assert found.same == turned.same
        assert 0 <= found.low <= found.same <= found.high <= 1
    assert agreement(one, {user: dict.fromkeys(row, 1.0) for user, row in one.items()}) is None


def test_feelings_and_the_newest_visits_are_told_in_words() -> None:
    assert [feeling_of(pleased(stars)) for stars in (5.0, 3.0, 1.0)] == ["like", "neutral", "dislike"]
    assert told_lines(RECENT, ITEMS).splitlines() == ["- dislike: Thing 1", "- like: Thing 0"]


def test_a_model_that_is_asked_is_right_as_often_as_it_is_right() -> None:
    model = Scripted({"feels": "like"})
    judge = AskingJudge(model, ITEMS)
    assert judge.verdicts(PERSON, [way("a", "Likes: x"), way("b", "Likes: y")]) == [0.5, 0.5]
    assert len(model.asked) == 4
    assert "Likes: x" in model.asked[0].user
    assert "Thing 2" in model.asked[0].user
    assert "Thing 2" not in model.asked[1].user


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (pip install -r requirements-train.txt)")
def test_a_model_that_reads_on_finds_one_way_likelier_than_another_and_is_the_same_in_any_batch(tmp_path: Path) -> None:
    texts = [
        "Somebody of whom this is known: Lately: Next they chose: - like dislike",
        *(f"{one.title}. {one.description}" for one in ITEMS),
    ]
    model, tokenizer = load_base(write_tiny_lm(tmp_path, [*texts, "Likes: a b c d e f g h"]))
    judge = ReadingJudge(model.eval(), tokenizer, ITEMS, "tiny")
    ways = [way("a", "Likes: a b c"), way("b", "Likes: d e"), way("c", "Likes: f g h a b c")]
    together = judge.verdicts(PERSON, ways)
    assert together == pytest.approx([judge.verdicts(PERSON, [one])[0] for one in ways], abs=1e-5)
    assert len(set(together)) == 3
    assert all(one < 0 for one in together)
    assert judge.verdicts(PERSON._replace(since=()), ways) == [0.0, 0.0, 0.0]
    assert heard(judge, [PERSON], {"u": ways}) == {"u": dict(zip([one.key for one in ways], together, strict=True))}
