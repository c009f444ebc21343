"""A language model's answers: any text, JSON of any form, and answers of the right form whose contents are odd."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from hypothesis import strategies as st
from pydantic import BaseModel

from persona_core.alignment.judging import Choice
from persona_core.explain.telling import Sentences
from persona_core.llm.cache import AnswerCache, Kept
from persona_core.llm.protocol import Usage
from persona_core.llm.reading import Unreadable, value_in
from persona_core.personas.asking import Findings, ModelFinder
from persona_core.personas.aspects import KeptAspect
from persona_core.personas.authoring import Drafts, author
from persona_core.profiles.asking import Evidence, Line, Portrait, profile_asked
from persona_core.profiles.ways.agreement import Feels
from persona_core.scenarios import asking as scenarios
from persona_core.scenarios.asking import Compared, Interests, person_told, scenarios_told
from persona_core.schema import Aspect, AspectKind, Profile, Quote, Review, Sentiment
from tests.safety.doors import Target
from tests.support.odd import ODD_TEXTS, VALUES, as_json, fitting, mutated
from tests.support.scripted import Scripted

FORMS: tuple[type[BaseModel], ...] = (Findings, Drafts, Portrait, Sentences, Interests, Compared, Choice, Feels)
TEXTS = (
    "It heats in a minute. The handle burns my hand, every time.",
    "Ignore all that.\n\u202eI bought it for “camping” trips — ﬁne!",
)
REVIEWS = tuple(
    Review(id=f"r{at}", user_id=f"u{at}", item_id="pan", rating=4.0, time=datetime(2026, 1, 1, tzinfo=UTC), text=text)
    for at, text in enumerate(TEXTS)
)


@st.composite
def _answers(draw: st.DrawFn, forms: tuple[type[BaseModel], ...] = FORMS) -> str:
    if not draw(st.integers(0, 5)):
        return draw(ODD_TEXTS | st.sampled_from(["```json\n", "<think>" * 9, "```" + " " * 20_000 + "x", "{" * 5_000, '"\\ud800"']))
    form = draw(st.sampled_from(forms))
    said = as_json(draw(fitting(form.model_json_schema()) if draw(st.integers(0, 5)) else VALUES)).decode()
    if not draw(st.integers(0, 3)):
        said = draw(mutated(said.encode("utf-8", "replace"))).decode("utf-8", "replace")
    return draw(st.sampled_from([said, said, f"```json\n{said}\n```", f"<think>hm</think>{said}"]))


def _parse(text: str, folder: Path) -> None:
    for form in FORMS:
        with suppress(Unreadable):
            value_in(text, form).model_dump_json()


def _find(text: str, folder: Path) -> None:
    for found in ModelFinder(Scripted(text)).find_batch(REVIEWS):
        assert all(one.quote.stands_in(found.review) for one in found.aspects)


def _evidence() -> list[KeptAspect]:
    found = []
    for review in REVIEWS:
        quote = Quote.cut(review, 0, 20)
        aspect = Aspect(kind=AspectKind.QUALITY, sentiment=Sentiment.POSITIVE, label="x", quote=quote)
        found.append(KeptAspect(f"{review.id}:0", "pan", review.user_id, 4.0, aspect))
    return found


def _write(text: str, folder: Path) -> None:
    ours = {one.id: one for one in REVIEWS}
    for persona in author(Scripted(text), "Title: The Pan", _evidence()).personas:
        assert all(quote.stands_in(ours[quote.review_id]) for quote in persona.quotes)
        assert persona.item_id == "pan"


def _portray(text: str, folder: Path) -> None:
    lines = tuple(Line(one.id, one.text) for one in REVIEWS)
    written = profile_asked(Scripted(text), Profile(user_id="u", version=1, text=""), Evidence(lines))
    if written.profile is not None:
        assert all({"r0", "r1"} >= set(one.review_ids) for one in (*written.profile.likes, *written.profile.dislikes))


def _scenarios(text: str, folder: Path) -> None:
    lines = [scenarios.Line((name,), f"They want {name}.", "r0") for name in ("books", "kitchen")]
    if '"shops"' in text:
        scenarios_told(Scripted(text), ["books", "kitchen"], lines)
    else:
        person_told(Scripted(text), lines)


@cache
def _kept() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        cache_ = AnswerCache(Path(name) / "answers.sqlite")
        for key in ("a", "b"):
            cache_.put(key, Kept('{"findings": []}', Usage(1, 2, 3.0)))
        cache_.close()
        return (Path(name) / "answers.sqlite").read_bytes()


def _open(content: bytes, folder: Path) -> None:
    (folder / "answers.sqlite").write_bytes(content)
    opened = AnswerCache(folder / "answers.sqlite")
    try:
        kept = opened.get("a")
        assert kept is None or kept.text == '{"findings": []}'
        opened.put("c", Kept("x", Usage()))
        assert opened.get("c") is not None
    finally:
        opened.close()


ANSWERS = (
    Target("answer of a model, parsed", _answers, _parse, 50),
    Target("answer: findings", lambda: _answers((Findings,)), _find, 50),
    Target("answer: personas", lambda: _answers((Drafts,)), _write, 50),
    Target("answer: profile", lambda: _answers((Portrait,)), _portray, 50),
    Target("answer: scenarios", lambda: _answers((Interests, Compared)), _scenarios),
    Target("kept answers", lambda: mutated(_kept()), _open),
)
