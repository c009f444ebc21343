"""How well aspects were read, against the demo world's truth: kind and feeling, for all sentences and for those never taught."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from persona_core.evaluation.train_judge import is_taught
from persona_core.evaluation.truth import TrueSentence, Truth
from persona_core.personas.aspects import KeptAspect
from persona_core.schema import AspectKind, Sentiment

NONE = "small talk"


@dataclass(frozen=True, slots=True)
class Pair:
    """A true sentence and the aspect that was found where it stands, if any."""

    true: TrueSentence
    found: KeptAspect | None


def paired(truth: Truth, aspects: Iterable[KeptAspect]) -> list[Pair]:
    by_review: dict[str, list[KeptAspect]] = {}
    for one in aspects:
        by_review.setdefault(one.aspect.quote.review_id, []).append(one)
    return [
        Pair(sentence, next((one for one in by_review.get(review, ()) if _overlap(one, sentence)), None))
        for review, sentences in truth.sentences.items()
        for sentence in sentences
    ]


def _overlap(one: KeptAspect, sentence: TrueSentence) -> bool:
    return one.aspect.quote.start < sentence.end and sentence.start < one.aspect.quote.end


def aspect_scores(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """A row for all sentences and one for those made from lines that the judge was never taught."""
    return [
        {"sentences": "all", **_scores(pairs)},
        {"sentences": "never taught", **_scores([pair for pair in pairs if not is_taught(pair.true.line)])},
    ]


def _scores(pairs: Sequence[Pair]) -> dict[str, Any]:
    from sklearn.metrics import f1_score

    true_kinds = [str(pair.true.kind or NONE) for pair in pairs]
    found_kinds = [str(pair.found.aspect.kind) if pair.found else NONE for pair in pairs]
    kinds = [str(kind) for kind in AspectKind]
    by_kind = f1_score(true_kinds, found_kinds, average=None, labels=[*kinds, NONE])
    both = [pair for pair in pairs if pair.found and pair.true.kind]
    true_feelings = [str(pair.true.sentiment) for pair in both]
    found_feelings = [str(pair.found.aspect.sentiment) for pair in both if pair.found]
    feelings = [str(feeling) for feeling in Sentiment]
    return {
        "count": len(pairs),
        "kind macro-F1": float(by_kind[: len(kinds)].mean()),
        **{kind: float(score) for kind, score in zip([*kinds, NONE], by_kind, strict=True)},
        "sentiment macro-F1": float(f1_score(true_feelings, found_feelings, average="macro", labels=feelings)),
    }
