"""The wholly fine-tuned encoder as a ranker: one text a profile, one text a persona, the best suiting persona of each item."""

from __future__ import annotations

from pathlib import Path

from persona_core.alignment.full import FullRecipe, TunedEncoder, profile_text
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.whole import tuned_on
from persona_core.evaluation.arena import Arena, Scores, best_of_items
from persona_core.personas.files import text_of
from persona_core.profiles.building import Rules, chosen_needs, drafted


def tuned_scores(arena: Arena, book: PhraseBook, folder: Path, recipe: FullRecipe, most: int | None) -> Scores:
    """Trains on the arena's world, or takes what an earlier run has left in `folder`."""
    trained = tuned_on(arena.world, book, folder, recipe, lambda done, total, unit: print(f"  {done} of {total} {unit}"), most)
    encoder = TunedEncoder.of(trained.folder)
    suits = ~arena.world.disappoints
    personas = encoder.topics([text_of(one) for one in arena.world.personas])[suits]
    profiles = encoder.topics(_texts(arena, Rules()))
    return best_of_items(profiles @ personas.T, arena.world.persona_items[suits], len(arena.world.items), -1.0)


def _texts(arena: Arena, rules: Rules) -> list[str]:
    texts = []
    for case, visits in zip(arena.cases, arena.visits, strict=True):
        wants, woes = arena.world.known.lift_rows(visits, case.moment, rules.half_life_days, rules.own_say)
        texts.append(profile_text(drafted(case.user_id, chosen_needs(wants.sum(0), woes.sum(0), rules))))
    return [text or "-" for text in texts]
