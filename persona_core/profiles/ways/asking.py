"""How a small generator is asked for a profile: a few plain lines of what somebody did, and the word with which the answer begins."""

from __future__ import annotations

from persona_core.profiles.asking import DISLIKED, LIKED
from persona_core.profiles.ways.styles import Past

MOST_LINES, MOST_SAID = 12, 6
"""Lines in one prompt, and how many of them are passages: a small model reads slowly, and forgets."""
LONGEST_LINE = 90
BEGINS, ENDS = "What somebody did, the newest first:", "Their profile:"


def prompt_of(past: Past) -> str:
    """The newest passages and things of the older half; nothing else of the person is in it."""
    said: list[str] = []
    done: list[str] = []
    for visit in reversed(past.visits):
        title = " ".join(past.titles[visit.item].split())
        for row in visit.rows[:2]:
            said.append(_line(f"on {title}: {past.aspects[row].aspect.quote.text}"))
        if not visit.rows:
            done.append(_line(f"{_felt(visit.pleased)} {title}"))
    passages = said[:MOST_SAID]
    lines = [*passages, *done[: MOST_LINES - len(passages)]]
    return "\n".join([BEGINS, *(f"- {line}" for line in lines), ENDS, ""])


def _felt(pleased: float) -> str:
    return "liked" if pleased >= LIKED else "disliked" if pleased <= DISLIKED else "chose"


def _line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_LINE else flat[:LONGEST_LINE].rpartition(" ")[0] + " …"
