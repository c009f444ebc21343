"""The steps in words that need no colour: what each is, where it stands, what it found, and what made it."""

from __future__ import annotations

from dataclasses import dataclass

from persona_core.pipeline import StepStatus
from persona_core.pipeline import in_words as counts_in_words
from persona_core.progress import in_words
from ui.markup import Markup, el, show

STATES = {
    "done": ("✓", "ready"),
    "stale": ("↻", "out of date"),
    "missing": ("○", "not built yet"),
    "broken": ("✕", "damaged"),
}
CAUSES = {
    "code": "the program",
    "settings": "the settings",
    "file model": "the language model",
    "file prompt": "the prompt",
}
MODEL = "file model"


@dataclass(frozen=True, slots=True)
class Told:
    """One step as the page tells it."""

    name: str
    title: str
    state: str
    glyph: str
    words: str
    found: str
    took: str
    maker: str
    built: str
    why: str


def told(status: StepStatus, titles: dict[str, str]) -> Told:
    glyph, words = STATES[status.state]
    made = status.manifest
    return Told(
        name=status.step.name,
        title=status.step.title,
        state=status.state,
        glyph=glyph,
        words=words,
        found=counts_in_words({name: value for name, value in made.counts.items() if name != "by"}) if made else "",
        took=in_words(made.seconds) if made else "",
        maker=maker_of(status),
        built=f"{made.created:%-d %b %Y, %H:%M} UTC" if made else "",
        why=why_in_words(status.why, titles) if status.state != "done" else "",
    )


def told_all(states: list[StepStatus]) -> list[Told]:
    titles = {one.step.name: one.step.title for one in states}
    return [told(one, titles) for one in states]


def maker_of(status: StepStatus) -> str:
    """Which model made it; empty where no step of this kind ever asks one."""
    made = status.manifest
    if made is None or not ("by" in made.counts or MODEL in made.because):
        return ""
    by = str(made.counts.get("by", "extraction"))
    return "by rules, without a language model" if by in ("extraction", "none") else f"by {by}"


def why_in_words(why: str, titles: dict[str, str]) -> str:
    """Why a step is late, with the steps called by their titles."""
    head, sign, rest = why.partition("changed since: ")
    if sign and not head:
        return "Changed since then: " + ", ".join(_cause(one, titles) for one in rest.split(", ")) + "."
    if why.startswith("after "):
        return "Its turn comes after: " + _named(why.removeprefix("after "), titles) + "."
    if why.endswith(" must be built first"):
        return "First must come: " + _named(why.removesuffix(" must be built first"), titles) + "."
    return why


def _cause(one: str, titles: dict[str, str]) -> str:
    if one.startswith("step "):
        return f"what “{titles.get(one.removeprefix('step '), one)}” left"
    return CAUSES.get(one) or f"the data ({one.removeprefix('file ')})"


def _named(names: str, titles: dict[str, str]) -> str:
    return ", ".join(titles.get(name, name).lower() for name in names.split(", "))


def list_of(steps: list[Told]) -> None:
    """Every step with its state and details, as a list that any screen and any reader can show."""
    show(el("ol", *(_line(one) for one in steps), cls="ps-steps"))


def _line(one: Told) -> Markup:
    facts = " · ".join(part for part in (one.found, one.maker, one.took and f"took {one.took}", one.built) if part)
    return el(
        "li",
        el("span", one.glyph, cls=f"ps-state ps-{one.state}", aria_hidden="true"),
        el(
            "div",
            el("b", one.title),
            el("span", f" {one.words}", cls=f"ps-small ps-state-words ps-{one.state}"),
            el("div", facts, cls="ps-meta") if facts else None,
            el("div", one.why, cls="ps-small") if one.why else None,
        ),
    )


def summary(steps: list[Told]) -> str:
    """All steps in one sentence."""
    ready = sum(one.state == "done" for one in steps)
    if ready == len(steps):
        return f"All {len(steps)} steps are ready."
    late = [one for one in steps if one.state != "done"]
    if all(one.state == "missing" for one in steps):
        return "Nothing is built yet."
    return f"{ready} of {len(steps)} steps are ready; " + ", ".join(f"“{one.title}” is {one.words}" for one in late[:3]) + (
        f", and {len(late) - 3} more." if len(late) > 3 else "."
    )  # fmt: skip
