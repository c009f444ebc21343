"""What a model of several scenarios learns from: lessons parted in time, and the knowledge of the training period as vectors.

Knowledge made from later reviews would tell the answers; it comes from a world that does not have them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from persona_core.alignment.head import unit
from persona_core.catalog.steps import SPLITS
from persona_core.catalog.store import Catalog
from persona_core.evaluation.worlds import Cut, cut_world
from persona_core.profiles.building import build_profile
from persona_core.progress import Listener, nobody
from persona_core.scenarios.carried import Carrying, as_numbers
from persona_core.scenarios.inputs import Known
from persona_core.scenarios.knowledge import person_knows
from persona_core.scenarios.samples import Lessons, lessons_from
from persona_core.scenarios.work import Knowing
from persona_core.schema import PriceBand
from persona_core.text.encoder import BaseEncoder, Matrix
from persona_core.text.sentences import sentence_spans
from persona_core.workspace import Workspace

Encode = Callable[[Sequence[str]], Matrix]
"""A row for each text."""


@dataclass(frozen=True)
class Schooling:
    lessons: Lessons
    known: Known
    users: Matrix
    """Knowledge of each person, of the training period alone."""
    scenarios: Matrix

    @property
    def cold(self) -> npt.NDArray[np.bool_]:
        """Test samples of people who were met in training, but never in that scenario."""
        train, test = self.lessons.train, self.lessons.test
        there = set(zip(train.users.tolist(), train.scenarios.tolist(), strict=True))
        met = set(train.users.tolist())
        pairs = zip(test.users.tolist(), test.scenarios.tolist(), strict=True)
        return np.array([(user, at) not in there and user in met for user, at in pairs], bool)


def schooling_of(source: Workspace, seed: int, embed: Encode | None = None, listener: Listener = nobody) -> Schooling:
    """Knowledge, texts of profiles and everything else from the reviews before the validation alone.

    What is known of scenarios is text; of people it is numbers, which did best, or, where a model embeds, their text as well.
    """
    catalog = Catalog.of(source.artefact("catalog"))
    reviews, items = catalog.reviews(["review_id", "user_id", "item_id", "rating", "time"]), catalog.items()
    split = pq.read_table(source.artefact("splits").file(SPLITS), columns=["review_id", "point_in_time"]).to_pandas()
    parts = reviews["review_id"].map(dict(zip(split["review_id"], split["point_in_time"], strict=True)))
    lessons = lessons_from(reviews, items, parts, seed=seed)
    knowing = Knowing.of(cut_world(source, Cut("point_in_time", ("train",)), listener=listener))
    assert knowing.ground.world.items == lessons.item_ids  # nosec B101 # what was just made
    assert tuple(knowing.ground.names) == lessons.scenario_names  # nosec B101 # what was just made
    encode = BaseEncoder().topics
    world = knowing.ground.world
    profiles = {user: build_profile(user, visits, world.items, world.known, world.now).text for user, visits in world.visits.items()}
    bands = [str(band) for band in PriceBand]
    prices = np.array([[float(band == one) for one in bands] for band in items["price_band"]], np.float32)
    texts = [f"{title}. {said}" for title, said in zip(items["title"], items["description"], strict=True)]
    known = Known(
        len(lessons.user_ids), len(lessons.item_ids), len(lessons.scenario_names), prices, encode(texts),
        by_sentences([profiles.get(user, "") for user in lessons.user_ids], encode),
    )  # fmt: skip
    return Schooling(lessons, known, _of_people(knowing, lessons, embed), by_sentences(_of_scenarios(knowing), embed or encode))


def _of_scenarios(knowing: Knowing) -> list[str]:
    return [
        " ".join([one.text, *(pair.text for pair in knowing.pairs if one.scenario in (pair.one, pair.other))]) for one in knowing.every
    ]


def _of_people(knowing: Knowing, lessons: Lessons, embed: Encode | None) -> Matrix:
    ground = knowing.ground
    told = dict(zip(ground.users, as_numbers(ground, Carrying.learned(ground)), strict=True))
    nothing = np.zeros_like(told[ground.users[0]])
    numbers = np.array([told.get(user, nothing) for user in lessons.user_ids])
    if embed is None:
        return numbers
    texts = [person_knows(ground, user).text if user in told else "" for user in lessons.user_ids]
    return np.concatenate([numbers, by_sentences(texts, embed)], axis=1)


def by_sentences(texts: Sequence[str], encode: Encode) -> Matrix:
    """The middle of each text's sentences, at length 1; zeros for no text."""
    cut = [[text[start:end] for start, end in sentence_spans(text)] for text in texts]
    every = sorted({sentence for some in cut for sentence in some})
    rows = encode(every) if every else np.zeros((0, 1), np.float32)
    vectors = dict(zip(every, rows, strict=True))
    found = [np.mean([vectors[one] for one in some], axis=0) if some else np.zeros(rows.shape[1]) for some in cut]
    return unit(np.asarray(found, np.float32))
