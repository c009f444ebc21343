"""Vectors of phrases and sentences, each encoded once: a profile's words come again with every edit."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Self

from persona_core.alignment.taste import rows_of
from persona_core.profiles.polarity import FaultReader
from persona_core.text.encoder import IDENTITY, BaseEncoder, Matrix

PHRASES = "phrases.safetensors"
"""What built profiles can say, with the vectors: whoever opens the workspace need not encode it again."""
MOST = 20_000
"""Kept at once; the one not asked for the longest goes first. 30 MB."""


class PhraseBook:
    """Safe to ask from several threads."""

    def __init__(self, encoder: BaseEncoder | None = None, most: int = MOST) -> None:
        self._encoder = encoder or BaseEncoder()
        self._faults = FaultReader.load()
        self._kept: OrderedDict[str, Matrix] = OrderedDict()
        self._lock = Lock()
        self._most = most

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """One row a text. New ones are encoded one by one, so that no text's vector depends on its company."""
        with self._lock:
            found = {text: self._kept[text] for text in texts if text in self._kept}
            for text in found:
                self._kept.move_to_end(text)
        new = {text: self._encoder.topics([text])[0] for text in dict.fromkeys(texts) if text not in found}
        with self._lock:
            self._kept.update(new)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        found |= new
        return rows_of([found[text] for text in texts])

    def learn(self, texts: Sequence[str], vectors: Matrix) -> None:
        """Takes over vectors that were made in a batch, where many are needed at once."""
        with self._lock:
            self._kept.update(zip(texts, vectors, strict=True))

    def ahead(self, texts: Sequence[str]) -> Self:
        """A book for these texts alone: what is known here as it is, all else encoded in one go.

        This one learns nothing from it: a vector made in company differs in its last digits.
        """
        book = type(self)(self._encoder, max(1, len(texts)))
        with self._lock:
            book._kept.update((text, self._kept[text]) for text in texts if text in self._kept)
        new = [text for text in dict.fromkeys(texts) if text not in book._kept]
        if new:
            book.learn(new, self._encoder.topics(new))
        return book

    def is_fault(self, text: str) -> bool:
        """Whether a dislike, by its words, names a fault rather than a kind of thing."""
        return bool(self._faults.faults(self.vectors([text]))[0])


def save_phrases(path: Path, texts: Sequence[str], vectors: Matrix) -> None:
    from safetensors.numpy import save_file

    save_file({"vectors": vectors}, str(path), {"phrases": json.dumps({"encoder": IDENTITY, "texts": list(texts)})})


def read_phrases(path: Path) -> tuple[list[str], Matrix]:
    """The texts and their vectors; nothing where another encoder made them."""
    from safetensors import safe_open

    with safe_open(str(path), framework="numpy") as file:
        notes = json.loads((file.metadata() or {})["phrases"])
        vectors: Matrix = file.get_tensor("vectors")
    return (notes["texts"], vectors) if notes["encoder"] == IDENTITY else ([], vectors[:0])
