"""The words of the project as frozen types; one meaning each, and what must hold of them checked when they are made."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PriceBand(StrEnum):
    """Where an item's price lies within its scenario."""

    BUDGET = "budget"
    MIDDLE = "middle"
    PREMIUM = "premium"


class Item(Frozen):
    id: str = Field(min_length=1)
    scenario: str = Field(min_length=1)
    title: str
    maker: str = ""
    description: str = ""
    price: float | None = Field(default=None, ge=0)
    price_band: PriceBand | None = None
    attributes: dict[str, str] = {}


class User(Frozen):
    id: str = Field(min_length=1)
    name: str


class Review(Frozen):
    """One interaction of a user with an item; its text may be empty."""

    id: str = Field(min_length=1)
    user_id: str
    item_id: str
    rating: float | None
    time: datetime
    text: str = ""


class Quote(Frozen):
    """A verbatim span of a review: `review.text[start:end]` is the quote, always."""

    review_id: str
    start: int = Field(ge=0)
    end: int
    text: str = Field(min_length=1)

    @model_validator(mode="after")
    def _span_fits_text(self) -> Self:
        if self.end - self.start != len(self.text):
            raise ValueError(f"a quote of {len(self.text)} characters cannot span {self.start} to {self.end}")
        return self

    @classmethod
    def cut(cls, review: Review, start: int, end: int) -> Self:
        """The quote that stands in `review` from `start` to `end`."""
        return cls(review_id=review.id, start=start, end=end, text=review.text[start:end])

    def stands_in(self, review: Review) -> bool:
        return review.id == self.review_id and review.text[self.start : self.end] == self.text


class AspectKind(StrEnum):
    PREFERENCE = "preference"
    PURPOSE = "purpose"
    QUALITY = "quality"
    CONTEXT = "context"


class Sentiment(StrEnum):
    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class Aspect(Frozen):
    """One thing that one review says."""

    kind: AspectKind
    sentiment: Sentiment
    label: str = Field(min_length=1)
    quote: Quote


class Stance(StrEnum):
    SUITS = "suits"
    MIXED = "mixed"
    DISAPPOINTS = "disappoints"


class Persona(Frozen):
    """A kind of person whom an item suits or disappoints, and the quotes it stands on."""

    id: str
    item_id: str
    name: str
    description: str
    rationale: str
    stance: Stance
    weight: float = Field(gt=0, le=1)
    traits: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = Field(min_length=1)


class Phrase(Frozen):
    """A like or a dislike in a profile, with the reviews it rests on."""

    text: str = Field(min_length=1)
    strength: float = Field(default=1.0, gt=0, le=3)
    review_ids: tuple[str, ...] = ()
    fault: bool | None = None
    """Of a dislike: it names a fault (looked for among complaints), or else a kind of thing (pushes away); None: its words tell."""


class Profile(Frozen):
    """One user's taste as editable text; every edit is a new version."""

    user_id: str
    version: int = Field(ge=1)
    text: str
    likes: tuple[Phrase, ...] = ()
    dislikes: tuple[Phrase, ...] = ()
    history: tuple[str, ...] = ()


class Match(Frozen):
    """How well a profile fits a persona: the alignment encoder's cosine."""

    persona_id: str
    cosine: float = Field(ge=-1.0001, le=1.0001)


class ScorePart(Frozen):
    name: str
    value: float


class Recommendation(Frozen):
    """An item at its rank; its score is the sum of its parts, and is never stored apart from them."""

    item_id: str
    rank: int = Field(ge=1)
    parts: tuple[ScorePart, ...] = Field(min_length=1)
    match: Match | None = None
    """The persona among those it suits that fits best."""
    warning: Match | None = None
    """The closest of those whom it disappoints, where one is close."""
    sources: tuple[str, ...] = ()
    """Which candidate generators named it."""

    @property
    def score(self) -> float:
        return sum(part.value for part in self.parts)


class ClaimKind(StrEnum):
    """What a claim says, and so how far it goes."""

    SUITS = "suits"
    """The people whom the item suits want this, and how that touches the reader."""
    DIVIDES = "divides"
    """The same, of people who are of two minds about the item."""
    WISH = "wish"
    """What reviewers say of one phrase of the reader's profile."""
    NEAR = "near"
    """The reviewers nearest to the reader are pleased; it is not said with what."""
    CARRIES = "carries"
    """What the reader wants elsewhere speaks for it in a scenario that is new to them, and reviewers speak of it."""
    OTHERS = "others"
    """Whom the item suits, said to a reader whose taste is not known."""
    CAUTION = "caution"
    """Who was let down, and how that touches the reader."""


class Cited(Frozen):
    """Something of the reader's own that a claim speaks of."""

    role: str
    """like, dislike, text or past: as in the taste that it is a component of; elsewhere: a wish in another scenario."""
    text: str
    """The phrase, the sentence, or the title of the past item."""
    share: float
    """What it adds to the match with the claim's persona; 0 where it is no component of that match (a feared fault)."""
    shared: bool = False
    """It says what the persona wants; otherwise it only lies near."""
    away: bool = False
    """It counts because the persona lies away from it: something disliked, or a past item that let the reader down."""
    item_id: str = ""
    """Of a past item."""
    scenario: str = ""
    """Where it is so, where that is another scenario than the item's."""
    review_ids: tuple[str, ...] = ()
    """The reader's own reviews that the phrase rests on."""


class Claim(Frozen):
    """One sentence of an explanation and the quotes that carry it. The sentence does not repeat the quotes."""

    text: str = Field(min_length=1)
    quotes: tuple[Quote, ...] = Field(min_length=1)
    kind: ClaimKind = ClaimKind.SUITS
    persona_id: str = ""
    """Whose claim it is: the quotes are this persona's."""
    cited: tuple[Cited, ...] = ()
    support: float | None = Field(default=None, ge=0, le=1)
    """How well the quotes carry it, by explain/support.py: of the best of them; None where nobody checked."""
    worded_by: str = "rule"
    """`rule`, or the name of the language model whose sentence it is."""


class Reason(Frozen):
    """Why an item is shown, as far as that rests on numbers instead of on anybody's words."""

    text: str = Field(min_length=1)
    part: str
    """The part of the score that it explains."""
    item_ids: tuple[str, ...] = ()
    """The past items that it names."""
    people: int | None = None
    """How many people it counts."""


class Certainty(Frozen):
    """How sure an explanation is, in words and in the numbers behind them."""

    text: str = Field(min_length=1)
    reviewers: int | None = None
    """So many reviewers stand behind the best match, of `of` who say something of the item."""
    of: int | None = None
    margin: float | None = None
    """How far the best match lies above the next persona of the item that it suits."""
    taste_rank: int | None = None
    """The item's rank by taste alone."""


class Explanation(Frozen):
    """Why an item is recommended: what speaks for it, what against it, each with its evidence, and how sure that is."""

    item_id: str
    claims: tuple[Claim, ...]
    """What speaks for it; empty where no claim holds."""
    cautions: tuple[Claim, ...] = ()
    """What may disappoint."""
    reasons: tuple[Reason, ...] = ()
    certainty: Certainty | None = None
    dropped: int = Field(default=0, ge=0)
    """How many claims were not made, because no quote carries them."""

    @property
    def worded_by(self) -> str:
        """`rule`, the name of a model, or both."""
        return " and ".join(sorted({one.worded_by for one in (*self.claims, *self.cautions)})) or "rule"


class TrendSignal(Frozen):
    name: str
    value: float
    unit: str
    sentence: str


class Forecast(Frozen):
    """An item's popularity in the next window, with the signals it rests on and a reason in words."""

    item_id: str
    window_start: datetime
    window_end: datetime
    expected: float = Field(ge=0)
    low: float = Field(ge=0)
    high: float = Field(ge=0)
    signals: tuple[TrendSignal, ...] = ()
    reason: str = ""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if not self.low <= self.expected <= self.high or self.window_start >= self.window_end:
            raise ValueError("a forecast lies within its own bounds, and its window has a length")
        return self
