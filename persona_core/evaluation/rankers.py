"""The rankers that personas are measured against, each given the same world and the same cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from persona_core.alignment.head import unit
from persona_core.alignment.taste import rows_of
from persona_core.evaluation.arena import Arena, Asked, Scores
from persona_core.ranking import ALS, EASE, ItemKNN, Popularity, RecentPopularity
from persona_core.ranking.linear import MOST_ITEMS
from persona_core.ranking.parts import Weights, risen, scored
from persona_core.text.encoder import DIMENSION, BaseEncoder, Matrix

K1, B = 1.2, 0.75
"""The usual constants of BM25."""
HALF_LIVES = (7.0, 30.0, 90.0)


def collaborative(arena: Arena) -> Iterator[tuple[str, Scores]]:
    """Those that look at who came to what, and never at a text."""
    interactions, liked = arena.interactions, arena.interactions.liked()
    asked = (arena.histories, arena.moments)
    yield "random", np.random.default_rng(arena.seed).random((len(arena.cases), len(arena.world.items)), np.float32)
    yield "popularity", Popularity.fit(interactions).scores(*asked)
    for days in HALF_LIVES:
        yield f"popularity at the moment, {days:g} days", RecentPopularity.fit(interactions, half_life_days=days).scores(*asked)
    yield "item-kNN", ItemKNN.fit(liked).scores(*asked)
    yield "ALS", ALS.fit(liked, seed=arena.seed).scores(*asked)
    if len(arena.world.items) <= MOST_ITEMS:
        yield "EASE", EASE.fit(liked).scores(*asked)


def bm25(arena: Arena) -> Scores:
    """The words of a profile as a search in what reviewers wrote of each item."""
    from sklearn.feature_extraction.text import CountVectorizer

    texts = arena.catalog.reviews(["item_id", "text"]).groupby("item_id")["text"].apply(" ".join)
    documents = [str(texts.get(item, "")) for item in arena.world.items]
    vectorizer = CountVectorizer(stop_words="english", min_df=2)
    try:
        counts = vectorizer.fit_transform(documents).astype(np.float32)
    except ValueError:  # no words at all
        return np.zeros((len(arena.cases), len(documents)), np.float32)
    lengths = np.asarray(counts.sum(1)).ravel()
    rarity = np.log(1 + (len(documents) - counts.getnnz(0) + 0.5) / (counts.getnnz(0) + 0.5))
    coo = counts.tocoo()
    norm = K1 * (1 - B + B * lengths[coo.row] / max(float(lengths.mean()), 1.0))
    coo.data = coo.data * (K1 + 1) / (coo.data + norm) * rarity[coo.col]
    asked = vectorizer.transform(" ".join([one.text, *(like.text for like in one.likes)]) for one in arena.profiles)
    found: Scores = np.asarray((asked @ coo.tocsr().T).todense(), np.float32)
    return found


def one_vector(arena: Arena, vectors: Matrix, asked: Asked) -> Scores:
    """One frozen vector an item, met by a profile's words and by the middle of what its person liked, in the same space."""
    centred = unit(vectors - vectors.mean(0))
    past = rows_of([sum((v.pleased * centred[v.item] for v in visits), np.zeros(DIMENSION, np.float32)) for visits in arena.visits])
    wants = unit(0.5 * asked.words + 0.5 * unit(past))
    found: Scores = wants @ centred.T
    return found


def mean_of_reviews(arena: Arena) -> Matrix:
    """Each item's mean of everything that is said of it; items without a text lie in the middle."""
    vectors: Matrix = np.zeros((len(arena.world.items), DIMENSION), np.float32)
    counts = np.zeros(len(vectors), np.float32)
    for visits in arena.world.visits.values():
        for visit in visits:
            if visit.rows:
                vectors[visit.item] += arena.world.topics[list(visit.rows)].sum(0)
                counts[visit.item] += len(visit.rows)
    known = counts > 0
    vectors[known] /= counts[known, None]
    if known.any():
        vectors[~known] = vectors[known].mean(0)
    return vectors


def summaries(arena: Arena) -> Matrix:
    """Each item's title and description as one vector."""
    texts = [f"{item.title}. {item.description}".strip() for item in arena.catalog.all_items()]
    return BaseEncoder().topics(texts)


# Blends ----------------------------------------------------------------------------------------------------------------


def blended(
    suits: Scores,
    wrong: Scores,
    penalty: float,
    habit: Scores,
    popularity: Scores,
    weights: Weights,
    trend: Any = None,
    scenario: Scores | None = None,
) -> Scores:
    """The engine's own score, case by case; the trend is the same for all, what carries over is not."""
    known = np.where(suits <= -1.0, np.nan, suits)
    rows = [
        scored(
            known[row], wrong[row], penalty, habit[row], popularity[row], weights, trend, None if scenario is None else scenario[row]
        ).totals
        for row in range(len(suits))
    ]
    found: Scores = np.array(rows, np.float32)
    return found


def fitted_weights(arena: Arena, parts: Sequence[Scores], ridge: float = 1e-3) -> npt.NDArray[np.float64]:
    """The weights, none below zero, under which the items that people came to were likeliest among all that they had not met."""
    from scipy.optimize import minimize

    table = np.stack(parts, axis=-1).astype(np.float64)
    seen = np.zeros(table.shape[:2], bool)
    for row, history in enumerate(arena.histories):
        seen[row, history] = True
    rows = np.arange(len(table))

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        scores = np.where(seen, -np.inf, table @ weights)
        scores -= scores.max(1, keepdims=True)
        chances = np.exp(scores)
        chances /= chances.sum(1, keepdims=True)
        right = np.maximum(chances[rows, arena.targets], 1e-12)
        slope = np.einsum("ci,cip->p", chances, table) - table[rows, arena.targets].sum(0)
        return float(-np.log(right).mean() + ridge * weights @ weights), slope / len(table) + 2 * ridge * weights

    count = table.shape[-1]
    found = minimize(loss, np.ones(count), jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * count)
    return np.asarray(found.x, np.float64)


def raised(scores: Scores) -> Scores:
    """Each case's scores from 0 to 1, as the engine shows parts."""
    found: Scores = np.array([risen(row) for row in scores], np.float32)
    return found
