"""Which column probably holds what, by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

REVIEWS = {
    "user": "Who wrote it",
    "item": "What it is about",
    "time": "When",
    "rating": "Rating",
    "text": "What they wrote",
    "user_name": "The writer's name",
    "review": "The review's number",
}
ITEMS = {
    "item.item": "Which item",
    "item.title": "Its title",
    "item.maker": "Who makes it",
    "item.scenario": "Its scenario (books, kitchen …)",
    "item.description": "Description",
    "item.price": "Price",
}
NEEDED = ("user", "item", "time")
_WORDS: Mapping[str, str] = {
    "user": "user_id userid user customer_id customer reviewer_id reviewerid author_id author who client buyer person account",
    "item": "item_id itemid item product_id productid product parent_asin asin business_id book_id movie_id movieid sku isbn what",
    "time": "timestamp time date datetime created_at created review_time unixreviewtime review_date when day",
    "rating": "rating stars star_rating score overall grade points",
    "text": "text review_text reviewtext review_body body comment comments content review words message",
    "user_name": "user_name username reviewer_name reviewername customer_name author_name nickname called",
    "review": "review_id reviewid",
    "item.title": "title name product_name product_title item_name",
    "item.maker": "maker brand manufacturer author artist publisher store company",
    "item.scenario": "scenario domain main_category department category",
    "item.description": "description summary about details",
    "item.price": "price cost price_usd",
}
"""By which names a column is known, the likeliest first."""


def guessed(columns: Sequence[str], roles: Sequence[str]) -> dict[str, str]:
    """For each role the column whose name fits best; no column twice."""
    by_name = {_plain(column): column for column in reversed(columns)}
    found: dict[str, str] = {}
    for role in roles:
        words = _WORDS["item" if role == "item.item" else role].split()
        best = next((by_name[word] for word in words if word in by_name and by_name[word] not in found.values()), None)
        if best is not None:
            found[role] = best
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


SCALES = {"5": "Up to 5", "10": "1 to 10", "100": "0 to 100", "1": "0 to 1"}
ENDS = {"5": (), "10": ("1", "10"), "100": ("0", "100"), "1": ("0", "1")}


def scale_for(highest: float | None) -> str:
    """Which scale ratings have of which this is the highest."""
    if highest is None or 1 < highest <= 5:
        return "5"
    return "1" if highest <= 1 else "10" if highest <= 10 else "100"
