"""Ranking: who came to what, and the scorers that name candidates from it for any history, also of people never seen before."""

from persona_core.ranking.candidates import Candidate, candidates
from persona_core.ranking.factors import ALS
from persona_core.ranking.interactions import Interactions
from persona_core.ranking.linear import EASE, TooManyItems
from persona_core.ranking.neighbours import ItemKNN
from persona_core.ranking.popularity import Popularity, RecentPopularity
from persona_core.ranking.scorer import Codes, History, Scorer, Scores

__all__ = [
    "ALS",
    "EASE",
    "Candidate",
    "Codes",
    "History",
    "Interactions",
    "ItemKNN",
    "Popularity",
    "RecentPopularity",
    "Scorer",
    "Scores",
    "TooManyItems",
    "candidates",
]
