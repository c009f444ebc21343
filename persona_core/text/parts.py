"""Encodes many texts in parts that are kept as they come, so that a killed step encodes nothing twice.

A part goes through the door like any other work: on this machine one after the other, since the encoder takes every core by itself;
on a cluster each to whoever is free. What parts there are depends on the texts alone, so every runner reads the very same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from persona_core.files import digest, write_beside
from persona_core.mapping import LocalRunner, Runner
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


@dataclass(frozen=True, slots=True)
class _Reading:
    encoder: BaseEncoder

    def __call__(self, texts: list[str]) -> Readings:
        return self.encoder.read(texts)


class Part(NamedTuple):
    """Some of the texts, each once, with the places at which each is said, and both readings of each."""

    texts: list[str]
    places: list[list[int]]
    readings: Readings


def topics_in_parts(encoder: BaseEncoder, texts: Sequence[str], folder: Path, tell: Tell, runner: Runner | None = None) -> Matrix:
    """What each text is about; how it is said, which takes four times the room, is not kept."""
    topics: Matrix = np.zeros((len(texts), DIMENSION), np.float32)
    for part in parts_read(encoder, texts, folder, tell, runner):
        for places, topic in zip(part.places, part.readings.topics, strict=True):
            topics[places] = topic
    return topics


def parts_read(
    encoder: BaseEncoder, texts: Sequence[str], folder: Path, tell: Tell, runner: Runner | None = None
) -> Iterator[Part]:  # fmt: skip
    """All the texts, part by part as they come: so that nobody has to hold every reading at once."""
    memory = _memory.get()
    said: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        said.setdefault(text, []).append(place)
    known = [text for text in said if text in memory] if memory else []
    order = sorted(said.keys() - set(known), key=lambda text: (len(text), text))
    done = 0
    tell(done, len(texts), "sentences")
    for part in chain(_remembered(known, memory or {}), _encoded(encoder, order, folder, runner or LocalRunner())):
        if memory is not None:
            memory.update(zip(part[0], zip(*part[1], strict=True), strict=True))
        places = [said[text] for text in part[0]]
        yield Part(part[0], places, part[1])
        done += sum(map(len, places))
        tell(done, len(texts), "sentences")


def _remembered(known: list[str], memory: Memory) -> Iterator[tuple[list[str], Readings]]:
    for start in range(0, len(known), PART):
        part = known[start : start + PART]
        topics, manners = zip(*(memory[text] for text in part), strict=True)
        yield part, Readings(np.array(topics), np.array(manners))


def _encoded(encoder: BaseEncoder, order: list[str], folder: Path, runner: Runner) -> Iterator[tuple[list[str], Readings]]:
    from safetensors.numpy import load, save

    missing: list[tuple[int, list[str]]] = []
    for start in range(0, len(order), PART):
        part = order[start : start + PART]
        file = _file_of(part, folder)
        if file.exists():
            kept = load(file.read_bytes())
            yield part, Readings(kept["topics"], kept["manners"])
        else:
            missing.append((start, part))
    for start, read in runner.run(_Reading(encoder), missing, "all cores") if missing else ():
        part = order[start : start + PART]
        write_beside(_file_of(part, folder), save({"topics": read.topics, "manners": read.manners}))
        yield part, read


def _file_of(texts: list[str], folder: Path) -> Path:
    name = digest("\n\0".join([IDENTITY, str(MANNER_DIMENSION), *texts]).encode("utf-8", "replace"))[:20]
    return folder / f".part-{name}.safetensors"
