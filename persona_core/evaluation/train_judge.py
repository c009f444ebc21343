"""`python -m persona_core.evaluation.train_judge [--write]`: trains the sentence judge and says how well it reads.

It learns from the sentences that ship beside it and from the needs' seeds, both written without sight of the demo world, and from
one wording of every other authored line of the demo world. What it reports is measured on the other half of those lines.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from persona_core.evaluation.truth import TrueSentence, Truth
from persona_core.files import digest
from persona_core.personas.needs import CONTEXT, PRAISE, PURPOSE, read_needs
from persona_core.personas.reading.judge import FARTHEST, FILE, KINDS, SENTIMENTS, Judge, Linear, manner_inputs
from persona_core.schema import AspectKind, Sentiment
from persona_core.settings import DEMO_DATA
from persona_core.text.encoder import BaseEncoder, Matrix, Readings

SENTENCES_SAY, DESCRIPTION_SAYS = 20.0, 3.0
KIND_C, SENTIMENT_C, NEED_C = 0.003, 0.003, 10.0


@dataclass(slots=True)
class Lessons:
    texts: list[str] = field(default_factory=list)
    kinds: list[AspectKind | None] = field(default_factory=list)
    sentiments: list[Sentiment] = field(default_factory=list)
    needs: list[str | None] = field(default_factory=list)

    def add(self, text: str, kind: AspectKind | None, sentiment: Sentiment, need: str | None = None) -> None:
        self.texts.append(text)
        self.kinds.append(kind)
        self.sentiments.append(sentiment)
        self.needs.append(need)


def lessons(with_demo: bool = True) -> Lessons:
    found = Lessons()
    for line in FILE.with_name("sentences.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        kind = None if row["kind"] == "none" else AspectKind(row["kind"])
        found.add(row["text"], kind, Sentiment(row["sentiment"]))
    for need in read_needs():
        for place, seed in enumerate(need.seeds):
            found.add(seed, *_of_seed(place), need.id)
        for fault in need.faults:
            found.add(fault, AspectKind.QUALITY, Sentiment.NEGATIVE, need.id)
    if with_demo:
        for text, sentence in one_wording_a_line():
            if is_taught(sentence.line):
                found.add(text, sentence.kind, sentence.sentiment)
    return found


def _of_seed(place: int) -> tuple[AspectKind, Sentiment]:
    if place < PRAISE:
        return AspectKind.QUALITY, Sentiment.POSITIVE
    if place < PURPOSE:
        return AspectKind.PURPOSE, Sentiment.NEUTRAL
    return (AspectKind.CONTEXT if place < CONTEXT else AspectKind.PREFERENCE), Sentiment.NEUTRAL


def is_taught(line: str) -> bool:
    """Which half of the authored lines is for teaching; the other is for testing."""
    return int(digest(line.encode())[:8], 16) % 2 == 0


def one_wording_a_line() -> list[tuple[str, TrueSentence]]:
    """The first wording in which each authored line of the demo world was used."""
    truth = Truth.read()
    texts = {}
    for row in (json.loads(line) for line in (DEMO_DATA / "reviews.jsonl").read_text("utf-8").splitlines()):
        texts[row["review_id"]] = row.get("text", "")
    first: dict[str, tuple[str, TrueSentence]] = {}
    for review, sentences in truth.sentences.items():
        for sentence in sentences:
            first.setdefault(sentence.line, (texts[review][sentence.start : sentence.end], sentence))
    return [first[line] for line in sorted(first)]


def train(encoder: BaseEncoder, with_demo: bool = True) -> Judge:
    taught = lessons(with_demo)
    readings = encoder.read(taught.texts)
    manner = manner_inputs(taught.texts, readings)
    with_need = [place for place, need in enumerate(taught.needs) if need]
    need_ids = tuple(need.id for need in read_needs())
    return Judge(
        kind=_fitted(manner, [KINDS.index(kind) for kind in taught.kinds], KIND_C),
        sentiment=_fitted(np.hstack([manner, readings.topics]), [SENTIMENTS.index(one) for one in taught.sentiments], SENTIMENT_C),
        need=_fitted(
            readings.topics[with_need], [need_ids.index(str(taught.needs[place])) for place in with_need], NEED_C, scaled=False
        ),
        bearings=_bearings(encoder),
        need_ids=need_ids,
    )


def _bearings(encoder: BaseEncoder) -> Matrix:
    """Where each need's own sentences lie, and what is said of those who have it, from the middle of all needs."""
    needs = read_needs()
    told = np.array([encoder.topics([*need.seeds, *need.faults]).mean(0) for need in needs])
    said = encoder.topics([f"They {need.phrase}. They want {need.wants}. They decide {need.decides}." for need in needs])
    directions = []
    for rows in (told, said):
        moved = rows - rows.mean(0)
        directions.append(moved / np.linalg.norm(moved, axis=1, keepdims=True))
    bearings: Matrix = (SENTENCES_SAY * directions[0] + DESCRIPTION_SAYS * directions[1]).astype(np.float32)
    return bearings


def _fitted(inputs: Matrix, labels: Sequence[int], strength: float, *, scaled: bool = True) -> Linear:
    from sklearn.linear_model import LogisticRegression

    width = inputs.shape[1]
    mean = inputs.mean(0) if scaled else np.zeros(width, np.float32)
    scale = inputs.std(0) + 1e-6 if scaled else np.ones(width, np.float32)
    model = LogisticRegression(C=strength, max_iter=3000).fit(
        np.clip((inputs - mean) / scale, -FARTHEST, FARTHEST).astype(np.float64), labels
    )
    parts = (mean, scale, model.coef_.T, model.intercept_)
    return Linear(*(np.asarray(part, np.float32) for part in parts))


def scores_of(judge: Judge, encoder: BaseEncoder) -> dict[str, Any]:
    """F1 on the lines that were never taught: by kind, and by feeling of what is an aspect."""
    from sklearn.metrics import f1_score

    unseen = [(text, sentence) for text, sentence in one_wording_a_line() if not is_taught(sentence.line)]
    texts = [text for text, _ in unseen]
    readings: Readings = encoder.read(texts)
    judged = judge.judge(texts, readings, [None] * len(texts))
    true_kinds = [KINDS.index(sentence.kind) for _, sentence in unseen]
    found_kinds = judged.kinds.argmax(1)
    by_kind = f1_score(true_kinds, found_kinds, average=None, labels=range(len(KINDS)))
    verdicts = [place for place, (_, sentence) in enumerate(unseen) if sentence.kind is AspectKind.QUALITY]
    praised = [unseen[place][1].sentiment is Sentiment.POSITIVE for place in verdicts]
    return {
        "sentences": len(texts),
        "kind macro-F1": float(np.mean(by_kind[: len(AspectKind)])),
        **{f"F1 {kind or 'small talk'}": float(score) for kind, score in zip(KINDS, by_kind, strict=True)},
        "praise or fault by the words alone, macro-F1": float(f1_score(praised, judged.praise[verdicts] >= 0, average="macro")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m persona_core.evaluation.train_judge", description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the weights that ship")
    options = parser.parse_args()
    encoder = BaseEncoder()
    for with_demo in (False, True):
        judge = train(encoder, with_demo)
        print("taught with half of the demo lines" if with_demo else "taught without any demo line")
        for name, value in scores_of(judge, encoder).items():
            print(f"  {value:>8.3f}  {name}" if isinstance(value, float) else f"  {value:>8,}  {name}")
    if options.write:
        judge.save(FILE)
        print(f"written: {FILE}")


if __name__ == "__main__":
    main()
