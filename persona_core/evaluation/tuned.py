"""The wholly fine-tuned encoder as a ranker: one text a profile, one text a persona, the best suiting persona of each item."""

from __future__ import annotations

from pathlib import Path

from persona_core.alignment.full import FullRecipe, TunedEncoder, profile_text
from persona_core.alignment.matching import best_of_items
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.whole import tuned_on
from persona_core.evaluation.arena import Arena, Scores
from persona_core.personas.files import text_of


def tuned_scores(arena: Arena, book: PhraseBook, folder: Path, recipe: FullRecipe, most: int | None) -> Scores:
    """Trains on the arena's world, or takes what an earlier run has left in `folder`."""
    trained = tuned_on(arena.world, book, folder, recipe, lambda done, total, unit: print(f"  {done} of {total} {unit}"), most)
    encoder = TunedEncoder.of(trained.folder)
    suits = ~arena.world.disappoints
    personas = encoder.topics([text_of(one) for one in arena.world.personas])[suits]
    profiles = encoder.topics([profile_text(one) or "-" for one in arena.profiles])
    return best_of_items(profiles @ personas.T, arena.world.persona_items[suits], len(arena.world.items), -1.0)
