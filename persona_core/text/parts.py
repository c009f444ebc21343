"""Encodes many texts in parts that are kept as they come, so that a killed step encodes nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np

from persona_core.files import digest, write_beside
from persona_core.text.encoder import DIMENSION, IDENTITY, MANNER_DIMENSION, BaseEncoder, Matrix, Readings

PART = 1024
Tell = Callable[[int, int, str], None]
Memory = dict[str, tuple[Matrix, Matrix]]
_memory: ContextVar[Memory | None] = ContextVar("memory", default=None)


@contextmanager
def remembered_readings() -> Iterator[None]:
    """Within it, no text is encoded twice: for worlds that share most of their texts. Takes 8 kB a text."""
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def read_in_parts(encoder: BaseEncoder, texts: Sequence[str], folder: Path, tell: Tell) -> Readings:
    """Both readings of each text, of what is said twice once; parts that `folder` has already are taken from there."""
    topics = np.zeros((len(texts), DIMENSION), np.float32)
    manners = np.zeros((len(texts), MANNER_DIMENSION), np.float32)
    memory = _memory.get()
    memory = {} if memory is None else memory
    known = {place for place, text in enumerate(texts) if text in memory}
    for place in known:
        topics[place], manners[place] = memory[texts[place]]
    said: dict[str, list[int]] = {}
    for place in range(len(texts)):
        if place not in known:
            said.setdefault(texts[place], []).append(place)
    order, done = sorted(said, key=lambda text: (len(text), text)), len(known)
    tell(done, len(texts), "sentences")
    for start in range(0, len(order), PART):
        part = order[start : start + PART]
        read = _part(encoder, part, folder)
        for text, topic, manner in zip(part, *read, strict=True):
            topics[said[text]], manners[said[text]] = topic, manner
            done += len(said[text])
        memory.update(zip(part, zip(*read, strict=True), strict=True))
        tell(done, len(texts), "sentences")
    return Readings(topics, manners)


def _part(encoder: BaseEncoder, texts: list[str], folder: Path) -> Readings:
    from safetensors.numpy import load, save

    name = digest("\n\0".join([IDENTITY, str(MANNER_DIMENSION), *texts]).encode("utf-8", "replace"))[:20]
    file = folder / f".part-{name}.safetensors"
    if file.exists():
        kept = load(file.read_bytes())
        return Readings(kept["topics"], kept["manners"])
    read = encoder.read(texts)
    write_beside(file, save({"topics": read.topics, "manners": read.manners}))
    return read
