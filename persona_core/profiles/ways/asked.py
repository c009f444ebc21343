"""Profiles of one person by language models, each in several styles, from the older half alone.

The models are asked warm, since what is wanted is variety; what they cite is checked as everywhere, and what they claim is then held
to the history like any other way to see somebody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from persona_core.errors import ModelAnswerBad
from persona_core.llm.prompts import fenced, prompt
from persona_core.llm.protocol import LanguageModel, Prompt
from persona_core.personas.needs import read_needs
from persona_core.profiles.asking import Evidence, Portrait, evidence_for, profile_from
from persona_core.profiles.ways.styles import LENGTHS, Past, Usual, empty, newest_named
from persona_core.profiles.ways.written import Candidate

PROMPT: Final = "way"
WARMTH = 1.0
COMMON = 4
"""So many needs of the average person are named where the model is to tell somebody apart from them."""


@dataclass(frozen=True, slots=True)
class AskedStyle:
    """One form that a model is asked for."""

    name: str
    title: str
    """What a person reads over it."""
    asks: str
    """What the prompt says of the form."""
    newest: int | None = None
    """So many of the older visits are shown; None for all that have room."""
    text_alone: bool = False


PLAIN_FORM = "no other form than the rules above give."
ASKED: Final = (
    AskedStyle("free text", "Told freely", "the text carries it all, in up to six sentences; the likes are only what it stands on.",
               text_alone=True),
    AskedStyle("by need", "By what things must do",
               "each like is a need: what a thing must do for them, whatever thing it is."),
    AskedStyle("by context", "By when and where",
               "each like says for what, when, where or with whom they use things; leave out how things are made."),
    AskedStyle("likes and dislikes", "Plain likes and dislikes",
               "as many likes and dislikes as the list bears out; leave the text empty."),
    AskedStyle("unlike others", "Unlike the average person",
               "what sets them apart. Most people here {usual}: leave that out, unless they insist on it."),
)  # fmt: skip


def asked_styles(past: Past) -> tuple[AskedStyle, ...]:
    """Those that differ for a history of this length."""
    shorter = (AskedStyle(*newest_named(many), PLAIN_FORM, many) for many in LENGTHS[1:] if many < len(past.visits))
    return (*ASKED, *shorter)


def asked(model: LanguageModel, past: Past) -> Iterator[Candidate | ModelAnswerBad]:
    """The model's profile in each style, or why there is none; nothing of somebody who wrote nothing. Raises what the model raises."""
    for style in asked_styles(past):
        shown = past if style.newest is None else past.newest(style.newest)
        evidence = evidence_for(shown.visits, shown.titles, shown.aspects, shown.now)
        if not evidence.lines:
            return
        wanted = prompt_for(style, past.usual, evidence)
        try:
            portrait = model.ask(wanted, Portrait).value
        except ModelAnswerBad as error:
            yield error
            continue
        profile = profile_from(portrait, empty(past), evidence).profile
        if profile is not None:
            said = profile.model_copy(update={"likes": (), "dislikes": ()}) if style.text_alone and profile.text else profile
            yield Candidate(model.name, style.name, wanted.version, said)


def prompt_for(style: AskedStyle, usual: Usual, evidence: Evidence) -> Prompt:
    lines = "\n".join(f"{number}. {line.said}" for number, line in enumerate(evidence.lines, start=1))
    form = style.asks.replace("{usual}", common_wants(usual))
    return prompt(PROMPT, form=form, evidence=fenced(lines, "evidence"), number=str(len(evidence.lines)))


def common_wants(usual: Usual) -> str:
    """What the average person wants, in words."""
    order = sorted(range(len(usual.middle)), key=lambda place: -usual.middle[place])[:COMMON]
    return "want " + "; ".join(read_needs()[place].wants for place in order)
