"""Reads single sentences of reviews without a language model: of what kind each is, how it feels, which need it speaks of."""

from persona_core.personas.reading.judge import Judge, Judged

__all__ = ["Judge", "Judged"]
