"""Personas with a language model: it writes them from numbered evidence, and what cannot be held against the evidence is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Annotated

from pydantic import BaseModel, Field

from persona_core.errors import ModelAnswerBad
from persona_core.llm.prompts import fenced, prompt
from persona_core.llm.protocol import LanguageModel, Prompt
from persona_core.personas.asking import OR_NOTHING, clipped
from persona_core.personas.aspects import KeptAspect
from persona_core.personas.drafts import Judgement, judged, slug_of
from persona_core.schema import AspectKind, Item, Persona, Stance
