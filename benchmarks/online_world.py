"""An engine over made-up things, as large as is asked for, all in memory; the edits to measure it with; and clocks inside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.store import vectors
from persona_core import engine as door
from persona_core.alignment.head import Head, LowRank
from persona_core.alignment.phrases import PhraseBook
from persona_core.engine import Engine
from persona_core.errors import PersonaError
from persona_core.personas.needs import read_needs
from persona_core.profiles.building import Chosen, drafted
from persona_core.profiles.edits import weighing, with_like, without
from persona_core.profiles.files import ProfileBook
from persona_core.ranking import EASE, Interactions, ItemKNN, RecentPopularity, Scorer
from persona_core.ranking.linear import MOST_ITEMS
from persona_core.ranking.scorer import History, Scores
from persona_core.schema import Aspect, AspectKind, Item, Persona, PriceBand, Profile, Quote, Review, Sentiment, Stance
from persona_core.settings import default_workspace
from persona_core.text.encoder import DIMENSION, Matrix
from persona_core.workspace import Workspace

AN_ITEM, A_USER, NEIGHBOURS, RANK = 4, 10, 50, 32
FITTED_UP_TO = 10_000
"""Items. Beyond, whose neighbours are whose is drawn: fitting takes minutes and changes nothing of what an answer costs."""
A_HISTORY, LIKES, DISLIKES = 30, 5, 3
QUOTES = 3
"""A persona: of three people."""
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
FEELS = {Stance.SUITS: Sentiment.POSITIVE, Stance.MIXED: Sentiment.NEUTRAL, Stance.DISAPPOINTS: Sentiment.NEGATIVE}
SECONDS = (1_600_000_000, 1_700_000_000)
WORDS = (
    "quiet sturdy light cheap warm slow bright small honest wild soft heavy plain tall rare gentle".split(),
    "lamp tent novel pan kettle map boot spoon chair coat radio saw atlas basket drum bottle".split(),
    "winter children travel mornings the garden long trains a boat the hills one person dancing exams a crowd rainy days".split(),
)


class MadeEngine(Engine):
    """Nobody in it has a past on disk, so the items of a profile's history count as picked; its quotes are whole reviews."""

    @cached_property
    def _visits(self) -> dict[str, dict[str, tuple[float, int]]]:
        return {}

    def reviews_of(self, item_id: str) -> list[Review]:
        return [
            Review(id=quote.review_id, user_id=f"by {quote.review_id}", item_id=item_id, rating=stars, time=LONG_AGO, text=quote.text)
            for persona in self.personas_of(item_id)
            for stars in ([1.0] if persona.stance is Stance.DISAPPOINTS else [5.0])
            for quote in persona.quotes
        ]

    def aspects_of(self, item_id: str) -> list[Aspect]:
        return [
            Aspect(kind=AspectKind.QUALITY, sentiment=FEELS[persona.stance], label="how it is", quote=quote)
            for persona in self.personas_of(item_id)
            for quote in persona.quotes
        ]


class Clock:
    """Seconds spent in each named part, in this thread; what a part does within another counts for the outer one alone."""

    def __init__(self) -> None:
        self._mine = threading.local()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        if getattr(self._mine, "within", False):
            yield
            return
        self._mine.within, began = True, time.perf_counter()
        try:
            yield
        finally:
            spent = self._spent()
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - began
            self._mine.within = False

    def take(self) -> dict[str, float]:
        """What was spent since the last time."""
        spent = dict(self._spent())
        self._spent().clear()
        return spent

    def _spent(self) -> dict[str, float]:
        if not hasattr(self._mine, "spent"):
            self._mine.spent = {}
        spent: dict[str, float] = self._mine.spent
        return spent

    @contextmanager
    def inside(self, module: Any, **parts: str) -> Iterator[None]:
        """Within it, functions that the module has under these names are timed as the parts they are given."""
        with ExitStack() as stack:
            for name in parts.keys() & vars(module).keys():
                stack.enter_context(patch.object(module, name, self._timed(getattr(module, name), parts[name])))
            yield

    def _timed(self, work: Any, name: str) -> Any:
        def timed(*given: Any, **named: Any) -> Any:
            with self.part(name):
                return work(*given, **named)

        return timed


class TimedBook(PhraseBook):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def vectors(self, texts: Sequence[str]) -> Matrix:
        with self._clock.part("encoding"):
            return super().vectors(texts)


class TimedHabit:
    name = "timed"

    def __init__(self, habit: Scorer, clock: Clock) -> None:
        self.habit, self._clock = habit, clock

    def scores(self, histories: Sequence[History], moments: Sequence[int] | None = None) -> Scores:
        with self._clock.part("habit"):
            return self.habit.scores(histories, moments)


def ordering(clock: Clock) -> Any:
    """Times the engine's naming of candidates and putting them in order."""
    return clock.inside(door, candidates="ordering", by_score="ordering", diverse="ordering")


def demo_engine(clock: Clock) -> Engine | None:
    """The workspace that is meant when nobody names one, as it was built; None where it is not."""
    try:
        engine = Engine.open(Workspace.at(default_workspace()))
    except PersonaError:
        return None
    engine.book, engine.habit = TimedBook(clock), TimedHabit(engine.habit, clock)
    return engine


# The world -----------------------------------------------------------------------------------------------------------


def made_engine(n_items: int, seed: int, book: PhraseBook, clock: Clock, folder: Path) -> MadeEngine:
    """`folder` has no workspace and needs none: settings are the usual ones."""
    items = [_item(number) for number in range(n_items)]
    personas = [_persona(number) for number in range(AN_ITEM * n_items)]
    interactions = made_interactions(n_items, seed)
    nobody = folder / "profiles.jsonl"
    nobody.write_bytes(b"")
    habit = TimedHabit(made_habit(interactions, seed), clock)
    return MadeEngine(
        Workspace.at(folder), items, personas, vectors(len(personas), seed), ProfileBook(nobody), made_head(seed), habit,
        RecentPopularity.fit(interactions), book,
    )  # fmt: skip


def _item(number: int) -> Item:
    name = f"The {_word(0, number)} {_word(1, number // 16)}"
    scenario, band = f"scenario {number % 3}", list(PriceBand)[number % 3]
    description = f"{name}, number {number}, for {_word(2, number)}. It does what it is there for."
    return Item(id=_id(number), scenario=scenario, title=name, description=description, price_band=band)


def _persona(number: int) -> Persona:
    """Of every four, the last is somebody whom the item disappoints. No two quotes are alike."""
    who = f"Wants a {_word(0, number)} {_word(1, number // 16)}"
    description = f"{who} for {_word(2, number)}, and looks at how it is made before they look at the price of it."
    stance = Stance.DISAPPOINTS if number % AN_ITEM == AN_ITEM - 1 else Stance.SUITS
    return Persona(
        id=f"{_id(number // AN_ITEM)}:p{number % AN_ITEM}", item_id=_id(number // AN_ITEM), name=who, description=description,
        rationale=f"{QUOTES} of {AN_ITEM * QUOTES} say so.", stance=stance, weight=0.25, traits=("quality",),
        quotes=tuple(_quote(QUOTES * number + at, stance) for at in range(QUOTES)),
    )  # fmt: skip


def _quote(number: int, stance: Stance) -> Quote:
    found = "let me down" if stance is Stance.DISAPPOINTS else f"was wonderfully {_word(0, number)}"
    said = f"I took the {_word(1, number // 16)} number {number} along for {_word(2, number)} and it {found}."
    return Quote(review_id=f"r{number}", start=0, end=len(said), text=said)


def _id(number: int) -> str:
    return f"item-{number:07d}"


def _word(kind: int, number: int) -> str:
    return WORDS[kind][number % len(WORDS[kind])]


def made_interactions(n_items: int, seed: int) -> Interactions:
    """As many people as items; each stays among fifty neighbouring items."""
    rng = np.random.default_rng([seed, 1])
    user = np.repeat(np.arange(n_items, dtype=np.int32), A_USER)
    home = np.repeat(rng.integers(0, n_items, n_items), A_USER)
    item = ((home + rng.integers(0, 50, len(user))) % n_items).astype(np.int32)
    mixed = rng.permutation(len(user))
    when = np.sort(rng.integers(*SECONDS, len(user))).astype(np.int64)
    people, things = (tuple(f"{kind}{number:07d}" for number in range(n_items)) for kind in ("user-", "item-"))
    return Interactions(people, things, user[mixed], item[mixed], when, np.full(len(user), np.nan, np.float32))


def made_habit(interactions: Interactions, seed: int) -> Scorer:
    """The linear model where a build takes it; else as many neighbours an item as a build keeps."""
    n_items = len(interactions.items)
    if n_items <= MOST_ITEMS:
        return EASE.fit(interactions)
    if n_items <= FITTED_UP_TO:
        return ItemKNN.fit(interactions, neighbours=NEIGHBOURS)
    rng = np.random.default_rng([seed, 2])
    whose = np.sort(rng.integers(0, n_items, (n_items, NEIGHBOURS)), axis=1).astype(np.int32).ravel()
    starts = np.arange(0, len(whose) + 1, NEIGHBOURS, dtype=np.int32)
    return ItemKNN(csr_matrix((rng.random(len(whose), np.float32), whose, starts), shape=(n_items, n_items)), 1.0)


def made_head(seed: int) -> Head:
    """Of the size of a trained one; what it says does not matter here."""
    rng = np.random.default_rng([seed, 3])

    def drawn(*shape: int) -> Matrix:
        return (0.01 * rng.standard_normal(shape)).astype(np.float32)

    words, past, personas = (LowRank(drawn(DIMENSION, RANK), drawn(RANK, DIMENSION)) for _ in range(3))
    return Head(words, past, personas, drawn(DIMENSION), drawn(DIMENSION), 0.3)


# Edits ---------------------------------------------------------------------------------------------------------------


def made_profiles(people: int, n_items: int, seed: int) -> list[Profile]:
    """As a build writes them: five likes, three dislikes, a text, and here thirty things of the past."""
    rng = np.random.default_rng([seed, 4])
    found = []
    for number in range(people):
        needs = rng.permutation(len(read_needs()))[: LIKES + DISLIKES].tolist()
        chosen = Chosen(tuple((need, 1.0) for need in needs[:LIKES]), tuple((need, 1.0) for need in needs[LIKES:]))
        history = tuple(_id(int(item)) for item in rng.choice(n_items, A_HISTORY, replace=False))
        found.append(drafted(f"person {number}", chosen).model_copy(update={"history": history}))
    return found


class Edits:
    """Profiles just edited, one after the other; threads may share it."""

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self.profiles = profiles
        self._number = count()

    def new_phrase(self) -> tuple[Profile, Profile]:
        """Before, and with a like that nobody ever wrote in these words."""
        number = next(self._number)
        profile = self.profiles[number % len(self.profiles)]
        return profile, with_like(profile, f"{read_needs()[number % len(read_needs())].phrase}, {number}")

    def known_words(self) -> tuple[Profile, Profile]:
        """Before, and with a like stronger or with one less, in turns."""
        number = next(self._number)
        profile = self.profiles[number // 2 % len(self.profiles)]
        like = profile.likes[number // 2 % len(profile.likes)]
        return profile, without(profile, like.text) if number % 2 else weighing(profile, like.text, like.strength + 1.0)
