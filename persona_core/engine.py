"""The online door: a profile in, ranked items with their reasons out. No language model, no writing, one copy for all sessions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from persona_core.alignment.head import FILE as HEAD
from persona_core.alignment.head import Head
from persona_core.alignment.matching import best_of_items, matches
from persona_core.alignment.pairs import item_middles
from persona_core.alignment.phrases import MOST, PHRASES, PhraseBook, read_phrases
from persona_core.alignment.taste import Taste, said_in, taste_of, words_of
from persona_core.catalog.store import Catalog
from persona_core.columns import rows_by
from persona_core.errors import ArtefactBroken, PersonaError, WorkspaceMissing
from persona_core.llm.protocol import LanguageModel
from persona_core.personas.aspects import ASPECTS, KeptAspect, kept_aspects, read_aspects
from persona_core.personas.curation import curated, read_entries
from persona_core.personas.files import PERSONAS, VECTORS, read_personas, read_vectors
from persona_core.profiles.evidence import DAY, pleased, recency
from persona_core.profiles.files import PROFILES, ProfileBook
from persona_core.ranking.candidates import Candidate, candidates
from persona_core.ranking.order import by_score, diverse, rank_of
from persona_core.ranking.parts import Scored, Weights, scored
from persona_core.ranking.popularity import RecentPopularity
from persona_core.ranking.scorer import Scorer
from persona_core.ranking.steps import RECENT, open_habit
from persona_core.scenarios.files import Over, Scenarios
from persona_core.schema import Aspect, Explanation, Item, Match, Persona, Phrase, Profile, Recommendation, Review, Stance
from persona_core.settings import RankingSettings
from persona_core.text.encoder import Matrix
from persona_core.text.stored import Stored
from persona_core.trends.files import Trends
from persona_core.workspace import Artefact, Workspace

CLOSE = 0.25
"""From this match on, a disappointing persona is worth a warning."""
ITEMS_KEPT = 512
"""So many items' reviews and aspects stay in memory once read."""
PROFILES_AT_ONCE = 256
PER_SOURCE = 200
"""So many candidates each generator may name."""
STEPS = ("catalog", "personas", "profiles", "alignment", "ranking")
WITHOUT = ("trends", "scenarios")
"""What it can do without, where it is not there or damaged."""
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may set: what counts, and what is let through."""

    weights: Weights = field(default_factory=Weights)
    mix: float = 0.5
    diversity: float = 0.0
    scenarios: frozenset[str] = frozenset()
    """Empty: all."""
    price_bands: frozenset[str] = frozenset()
    seen_too: bool = False
    as_new: frozenset[str] = frozenset()
    """Scenarios of which it is to be as if the reader had never been there."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """The whole answer to one profile: every candidate in its order, and what its score is made of."""

    profile: Profile
    options: Options
    taste: Taste
    order: npt.NDArray[np.int64]
    scores: Scored
    suits: Matrix
    """Of every persona: its match with what the profile wants, and with what it wants and fears."""
    alarms: Matrix
    named: Mapping[int, Candidate]
    over: Over | None = None
    """What carries over to scenarios that are new to the reader; None where nothing does."""

    def rank(self, item: int) -> int | None:
        return rank_of(self.order, item)


class Engine:
    """One built workspace, in memory. Nothing in it changes but the book of phrases, which has a lock: threads may share it."""

    def __init__(
        self, workspace: Workspace, items: Sequence[Item], personas: Sequence[Persona], vectors: Matrix, profiles: ProfileBook,
        head: Head, habit: Scorer, recent: RecentPopularity, book: PhraseBook | None = None, trends: Trends | None = None,
        scenarios: Scenarios | None = None,
    ) -> None:  # fmt: skip
        self.workspace = workspace
        self.items = tuple(items)
        self.code = {item.id: place for place, item in enumerate(self.items)}
        order = sorted(range(len(personas)), key=lambda row: (self.code[personas[row].item_id], personas[row].id))
        self.personas = tuple(personas[row] for row in order)
        self.head = head
        self.profiles = profiles
        self.habit, self.recent = habit, recent
        self.book = book or PhraseBook()
        self.trends, self.scenarios = trends, scenarios
        self._mapped = head.of_personas(vectors[order])
        self._middles = item_middles([item.id for item in self.items], self.personas, vectors[order], head)
        self._known_middle = np.linalg.norm(self._middles, axis=1) > 0
        self._persona_items = np.array([self.code[one.item_id] for one in self.personas], np.int64)
        self._wrong = np.array([one.stance is Stance.DISAPPOINTS for one in self.personas], bool)
        self._popular = recent.scores([np.empty(0, np.int32)])[0]
        self._rise = None if trends is None else trends.rise()

    @classmethod
    def open(cls, workspace: Workspace) -> Self:
        """Raises WorkspaceMissing or ArtefactBroken, each with the command that mends it."""
        made = {name: workspace.artefact(name) for name in STEPS}
        _check_that_they_fit(workspace, made)
        built = read_personas(made["personas"].file(PERSONAS))
        personas = curated(built, read_entries(workspace.root))
        row = {one.id: number for number, one in enumerate(built)}
        return cls(
            workspace,
            Catalog.of(made["catalog"]).all_items(),
            personas,
            read_vectors(made["personas"].file(VECTORS))[[row[one.id] for one in personas]],  # of a renamed one, as it was built
            ProfileBook(made["profiles"].file(PROFILES)),
            Head.load(made["alignment"].file(HEAD)),
            open_habit(made["ranking"]),
            RecentPopularity.load(made["ranking"].file(RECENT)),
            _book_of(workspace, personas, made["alignment"]),
            _of_this(workspace, "trends", Trends.of, made["catalog"]),
            _of_this(workspace, "scenarios", Scenarios.of, made["catalog"]),
        )

    # What is known -----------------------------------------------------------------------------------------------------

    @cached_property
    def _catalog(self) -> Catalog:
        return Catalog.of(self.workspace.artefact("catalog"))

    def profile(self, user_id: str) -> Profile:
        """The built profile; of somebody unknown, an empty one."""
        return self.profiles.of(user_id) or Profile(user_id=user_id, version=1, text="")

    @cached_property
    def _built(self) -> Callable[[str], Profile]:
        """Kept of those last asked for: every edit is held against what was built."""
        return lru_cache(maxsize=ITEMS_KEPT)(self.profile)

    def item(self, item_id: str) -> Item:
        if item_id not in self.code:
            raise PersonaError(f"There is no item {item_id!r} here.", mend="name one by its id")
        return self.items[self.code[item_id]]

    def persona(self, persona_id: str) -> Persona:
        return self.personas[self._row[persona_id]]

    def reviews_of(self, item_id: str) -> list[Review]:
        return list(self._reviews_of(item_id))

    @cached_property
    def _reviews_of(self) -> Callable[[str], list[Review]]:
        """Kept of the items last asked for: the same ten are explained at every edit."""
        return lru_cache(maxsize=ITEMS_KEPT)(self._catalog.reviews_of)

    def reviews(self, ids: Sequence[str]) -> list[Review]:
        """These reviews, the newest first."""
        return self._catalog.reviews_named(ids)

    def aspects_of(self, item_id: str) -> list[Aspect]:
        """What its reviews say, each with how it feels; nothing where a workspace does not keep that."""
        return list(self._aspects_of(item_id))

    @cached_property
    def _aspects_of(self) -> Callable[[str], list[Aspect]]:
        def read(item_id: str) -> list[Aspect]:
            aspects, rows = self._aspects
            return [aspects[row].aspect for row in rows.get(item_id, ())]

        return lru_cache(maxsize=ITEMS_KEPT)(read)

    @cached_property
    def _aspects(self) -> tuple[Sequence[KeptAspect], dict[str, list[int]]]:
        try:
            aspects = kept_aspects(self.workspace.artefact("aspects").file(ASPECTS))
        except WorkspaceMissing:
            return (), {}
        return aspects, rows_by(aspects.column("item_id"))

    def personas_of(self, item_id: str) -> list[Persona]:
        return [self.personas[row] for row in self._rows_of(self.code[self.item(item_id).id])]

    def direction_of(self, persona_id: str) -> Matrix:
        """The persona as profiles meet it: what `Taste.contributions` wants to know."""
        direction: Matrix = self._mapped[self._row[persona_id]]
        return direction

    @cached_property
    def _row(self) -> dict[str, int]:
        return {one.id: row for row, one in enumerate(self.personas)}

    def _rows_of(self, item: int) -> range:
        return range(*np.searchsorted(self._persona_items, [item, item + 1]).tolist())

    # The past ----------------------------------------------------------------------------------------------------------

    @cached_property
    def _visits(self) -> dict[str, dict[str, tuple[float, int]]]:
        """For each user and item they came to: how pleased they were, and when."""
        found: dict[str, dict[str, tuple[float, int]]] = {}
        reviews = self._catalog.reviews(["review_id", "user_id", "item_id", "rating", "time"])
        reviews = reviews.sort_values(["time", "review_id"])  # as training has it: of several visits to one thing, the last counts
        seconds = reviews["time"].astype("datetime64[s, UTC]").astype("int64")
        for user, item, rating, time in zip(reviews["user_id"], reviews["item_id"], reviews["rating"], seconds, strict=True):
            found.setdefault(user, {})[item] = (pleased(rating), time)
        return found

    def came_to(self, item_id: str) -> frozenset[str]:
        """The ids of all who came to this item."""
        return self._visitors.get(item_id, frozenset())

    @cached_property
    def _visitors(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for user, visits in self._visits.items():
            for item in visits:
                found.setdefault(item, set()).add(user)
        return {item: frozenset(users) for item, users in found.items()}

    def past_of(self, profile: Profile) -> dict[str, float]:
        """How much each item of the profile's history counts: the newer and the more pleasing, the more; a picked one counts whole."""
        visits = self._visits.get(profile.user_id, {})
        now = int(self.recent.time[-1]) if len(self.recent.time) else 0
        half_life = self._settings.half_life_days
        weights = {}
        for item in profile.history:
            if item in self.code:
                liked, time = visits.get(item, (1.0, now))
                weights[item] = liked * recency((now - time) / DAY, half_life)
        return weights

    # Who is like this --------------------------------------------------------------------------------------------------

    def admirers(self, persona_id: str, k: int = 10) -> list[tuple[str, float]]:
        """Who in the data matches this persona best, and how well; of a disappointed one, whom it warns the most."""
        users, wants, fears = self.tastes
        row = self._row[persona_id]
        suits, alarms = matches(self._mapped[[row]], wants, fears)
        found = (alarms if self._wrong[row] else suits)[:, 0]
        best = np.lexsort((np.arange(len(users)), -found))[: max(k, 0)]
        return [(users[place], float(np.clip(found[place], -1.0, 1.0))) for place in best if found[place] > 0]

    @cached_property
    def tastes(self) -> tuple[list[str], Matrix, Matrix]:
        """Of everybody with a built profile: what they want and what they fear, as the workspace's settings mix them."""
        users, options = self.profiles.users(), self.options
        wants, fears = (np.zeros((len(users), self._mapped.shape[1]), np.float32) for _ in range(2))
        for start in range(0, len(users), PROFILES_AT_ONCE):
            profiles = [self.profile(user) for user in users[start : start + PROFILES_AT_ONCE]]
            book = self.book.ahead(said_in(profiles))
            for place, one in enumerate(profiles, start):
                taste = self._taste(one, options, book)
                wants[place], fears[place] = taste.wants, taste.fears
        return users, wants, fears

    # Ranking -----------------------------------------------------------------------------------------------------------

    @cached_property
    def _settings(self) -> RankingSettings:
        """Read once: a file must not be opened for every edit."""
        return self.workspace.settings.ranking

    @property
    def options(self) -> Options:
        """What the workspace's settings say, where nobody says otherwise."""
        chosen = self._settings
        return Options(
            Weights(chosen.taste, chosen.habit, chosen.popularity, chosen.trend, chosen.scenario), chosen.mix, chosen.diversity
        )

    def taste(self, profile: Profile, options: Options | None = None) -> Taste:
        return self._taste(profile, options or self.options, self.book)

    def _taste(self, profile: Profile, options: Options, book: PhraseBook) -> Taste:
        words = words_of(profile, book.is_fault)
        return taste_of(words, self.past_of(profile), self._middle, book.vectors, self.head, options.mix)

    def _middle(self, item_id: str) -> Matrix | None:
        place = self.code[item_id]
        return self._middles[place] if self._known_middle[place] else None

    def rank(self, profile: Profile, options: Options | None = None) -> Ranked:
        """Every candidate in its order. The same profile and options give the same answer."""
        options = options or self.options
        taste = self.taste(profile, options)
        (suits,), (alarms,) = matches(self._mapped, taste.wants[None], taste.fears[None])
        best, worst = self._best_of_item(suits, ~self._wrong, np.nan), self._best_of_item(alarms, self._wrong, 0.0)
        seen = np.array([self.code[item] for item in profile.history if item in self.code], np.int32)
        habit = self.habit.scores([seen])[0]
        over = None if self.scenarios is None else self.scenarios.over(profile, self._built(profile.user_id), options.as_new)
        scores = scored(
            best, np.maximum(worst, 0.0), self.head.penalty, habit, self._popular, options.weights, self._rise, over and over.fit
        )
        allowed = self._allowed(options, seen)
        barred = np.flatnonzero(~allowed)
        named_by_taste = np.where(np.isnan(best), -np.inf, best) if suits.any() else np.zeros(len(best))
        sources = {"personas": named_by_taste, "habit": habit, "popularity": self._popular}
        named = {one.item: one for one in candidates(sources, barred, PER_SOURCE)}
        chosen = np.zeros(len(self.items), bool)
        chosen[list(named)] = True
        totals = scores.totals
        order = diverse(by_score(totals, chosen & allowed), totals, self._middles, options.diversity)
        return Ranked(profile, options, taste, order, scores, suits, alarms, named, over)

    def recommend(self, profile: Profile, *, k: int = 10, options: Options | None = None) -> list[Recommendation]:
        """The first k items, each with its parts, its best match and what may disappoint."""
        ranked = self.rank(profile, options)
        return [self.recommendation(ranked, int(item)) for item in ranked.order[: max(k, 0)]]

    def recommendation(self, ranked: Ranked, item: int) -> Recommendation:
        """Where this item stands in that answer; the last rank where it is no candidate."""
        return Recommendation(
            item_id=self.items[item].id,
            rank=ranked.rank(item) or len(ranked.order) + 1,
            parts=ranked.scores.parts(item),
            match=self._match(ranked.suits, item, wrong=False),
            warning=self._match(ranked.alarms, item, wrong=True),
            sources=tuple(name for name, _ in ranked.named[item].sources) if item in ranked.named else (),
        )

    def explain(self, ranked: Ranked, item_id: str, model: LanguageModel | None = None) -> Explanation:
        """What speaks for this item and against it, as far as its reviews carry that; in a model's words where it keeps to them."""
        from persona_core.explain import explanation

        return explanation(self, ranked, item_id, model)

    def _best_of_item(self, found: Matrix, which: npt.NDArray[np.bool_], nothing: float) -> Matrix:
        best: Matrix = best_of_items(found[None, which], self._persona_items[which], len(self.items), nothing)[0]
        return best

    def _match(self, matches: Matrix, item: int, *, wrong: bool) -> Match | None:
        rows = [row for row in self._rows_of(item) if bool(self._wrong[row]) is wrong]
        if not rows:
            return None
        best = max(rows, key=lambda row: (float(matches[row]), -row))
        if wrong and matches[best] < CLOSE:
            return None
        return Match(persona_id=self.personas[best].id, cosine=float(np.clip(matches[best], -1.0, 1.0)))

    def _allowed(self, options: Options, seen: Collection[int]) -> npt.NDArray[np.bool_]:
        allowed = np.ones(len(self.items), bool)
        if options.scenarios:
            allowed &= np.array([item.scenario in options.scenarios for item in self.items], bool)
        if options.price_bands:
            allowed &= np.array([item.price_band in options.price_bands for item in self.items], bool)
        if not options.seen_too and len(seen):
            allowed[list(seen)] = False
        return allowed

    def newcomer(self, user_id: str, phrases: Sequence[str] = (), items: Sequence[str] = ()) -> Profile:
        """A profile of a few picked phrases and things; what nobody knows of is left out."""
        likes = tuple(Phrase(text=text.strip()) for text in dict.fromkeys(phrases) if text.strip())
        history = tuple(item for item in dict.fromkeys(items) if item in self.code)
        return Profile(user_id=user_id, version=1, text="", likes=likes, history=history)


def _check_that_they_fit(workspace: Workspace, made: Mapping[str, Artefact]) -> None:
    """Raises ArtefactBroken where a step was built from something else than what holds now."""
    for name, artefact in made.items():
        for read, other in made.items():
            if artefact.manifest.because.get(f"step {read}", other.manifest.content) != other.manifest.content:
                raise workspace.unfit(name, read)


def _of_this(workspace: Workspace, step: str, read: Callable[[Artefact], Made], catalog: Artefact) -> Made | None:
    """What a step knows of this very catalogue; where it left nothing, or nothing that can be used, the engine does without."""
    try:
        made = workspace.artefact(step)
        return read(made) if made.manifest.because.get("step catalog") == catalog.manifest.content else None
    except (WorkspaceMissing, ArtefactBroken, KeyError, TypeError, ValueError):  # whole, and yet of another version's making
        return None


def _book_of(workspace: Workspace, personas: Sequence[Persona], alignment: Artefact) -> PhraseBook:
    """A book that has the quotes of the personas already, as far as there is room, and what built profiles say: both are asked for."""
    book = PhraseBook()
    made = workspace.artefact("aspects")
    texts = read_aspects(made.file(ASPECTS), ["text"])["text"]
    quoted = texts[texts.isin({quote.text for one in personas for quote in one.quotes})].drop_duplicates()[: MOST // 2]
    book.learn(quoted.tolist(), Stored(made.file(VECTORS))[quoted.index.to_numpy()])
    if PHRASES in alignment.manifest.files:  # older ones have none
        book.learn(*read_phrases(alignment.file(PHRASES)))
    return book
