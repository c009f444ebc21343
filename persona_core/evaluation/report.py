"""The tables of `evaluate …`: what was built, measured against the demo world's truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from persona_core.catalog import Catalog
from persona_core.evaluation.aspects import aspect_scores, paired
from persona_core.evaluation.personas import persona_scores, read_reference
from persona_core.evaluation.truth import Truth
from persona_core.personas.aspects import ASPECTS, kept_aspects
from persona_core.personas.files import PERSONAS, read_personas
from persona_core.text.encoder import BaseEncoder
from persona_core.workspace import Workspace


def aspect_rows(workspace: Workspace) -> list[dict[str, Any]]:
    return aspect_scores(paired(Truth.read(), kept_aspects(workspace.artefact("aspects").file(ASPECTS))))


def persona_rows(workspace: Workspace) -> Iterator[dict[str, Any]]:
    """All items, then the 30 that have personas written by hand, then those; each takes a while."""
    truth, encoder = Truth.read(), BaseEncoder()
    reviews = Catalog.of(workspace.artefact("catalog")).texts_named()
    artefact = workspace.artefact("personas")
    personas, reference = read_personas(artefact.file(PERSONAS)), read_reference()
    thirty = sorted({one.item_id for one in reference})
    by = str(artefact.manifest.counts.get("by", "extraction"))
    runs = [(by, personas, sorted(truth.items)), (f"{by}, 30 items", personas, thirty), ("by hand, 30 items", reference, thirty)]
    for name, own, items in runs:
        yield {"personas": name, **persona_scores(own, truth, reviews, encoder, items)}
