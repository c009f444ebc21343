"""Fine-tuning of the whole encoder for a workspace: which pairs it learns from, and where it leaves what it learned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from persona_core.alignment.full import FullRecipe, FullTrained, PersonaTexts, text_pairs, train_full
from persona_core.alignment.pairs import World
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.steps import lessons_in, phrases_known, world_of
from persona_core.profiles.building import Rules
from persona_core.workspace import Workspace

FOLDER = "full"


def full_training(workspace: Workspace, tell: Callable[[int, int, str], None] = lambda *_: None) -> FullTrained:
    """Trains on everything that is built here; goes on where it was stopped."""
    world = world_of(workspace)
    return tuned_on(world, phrases_known(PhraseBook()), workspace.root / FOLDER, FullRecipe(seed=workspace.settings.seed), tell)


def tuned_on(
    world: World, book: PhraseBook, folder: Path, recipe: FullRecipe, tell: Callable[[int, int, str], None] = lambda *_: None,
    most: int | None = None,
) -> FullTrained:  # fmt: skip
    """The encoder fine-tuned on the pairs of this world, or on so many of them, drawn by the seed."""
    head, lessons = lessons_in(world, book, Rules())
    pairs = text_pairs(world, lessons, head, seed=recipe.seed)
    if most is not None and len(pairs) > most:
        pairs = [pairs[row] for row in sorted(np.random.default_rng(recipe.seed).permutation(len(pairs))[:most].tolist())]
    return train_full(pairs, folder, recipe, tell, personas=PersonaTexts.of(world))
