"""The demo world's truth: whose motives, which items serve them, what each sentence speaks of. Read nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from persona_core.errors import SourceError
from persona_core.schema import AspectKind, Sentiment
from persona_core.settings import DEMO_DATA

FILE = "truth.jsonl"


@dataclass(frozen=True, slots=True)
class TrueMotive:
    id: str
    phrase: str
    scenarios: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrueUser:
    id: str
    motives: dict[str, float]
    since_month: dict[str, int]
    """For a motive that came with a change in life: the month of the demo world in which it came."""


@dataclass(frozen=True, slots=True)
class TrueItem:
    id: str
    serves: dict[str, float]
    disappoints: dict[str, float]
    shape: str
    """How its sales run: steady, rising, fading, spiky, new, or a season."""


@dataclass(frozen=True, slots=True)
class TrueSentence:
    """One sentence of a review: `text[start:end]`. Small talk has neither a kind nor a motive."""

    start: int
    end: int
    kind: AspectKind | None
    motive: str | None
    sentiment: Sentiment
    line: str
    """The authored line it was made from."""


@dataclass(frozen=True, slots=True)
class Truth:
    motives: dict[str, TrueMotive]
    users: dict[str, TrueUser]
    items: dict[str, TrueItem]
    sentences: dict[str, tuple[TrueSentence, ...]]
    """By review id."""

    @classmethod
    def read(cls, folder: Path = DEMO_DATA) -> Self:
        truth = cls({}, {}, {}, {})
        try:
            lines = (folder / FILE).read_bytes().splitlines()
        except OSError as error:
            raise SourceError(f"{folder} has no {FILE}.", why=str(error), mend="python -m demo_world") from error
        for line in lines:
            truth._take(orjson.loads(line))
        return truth

    def _take(self, row: dict[str, Any]) -> None:
        if "motive" in row:
            self.motives[row["motive"]] = TrueMotive(row["motive"], row["phrase"], tuple(row["scenarios"]))
        elif "user" in row:
            self.users[row["user"]] = TrueUser(row["user"], row["motives"], row["since_month"])
        elif "item" in row:
            self.items[row["item"]] = TrueItem(row["item"], row["serves"], row["disappoints"], row["shape"])
        else:
            self.sentences[row["review"]] = tuple(
                TrueSentence(start, end, AspectKind(kind) if kind else None, motive, Sentiment(mood), made_from)
                for start, end, kind, motive, mood, made_from in row["sentences"]
            )
