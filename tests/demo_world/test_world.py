"""The demo world that ships is what its program writes, has what it promises, and its truth is true."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from demo_world.hostile import USABLE
from demo_world.world import FILES, SEED, World, make_world, summary, write_world
from persona_core.catalog import Catalog
from persona_core.catalog.store import reject_reasons
from persona_core.evaluation.truth import Truth
from persona_core.settings import DEMO_DATA
from persona_core.workspace import Workspace


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(SEED)


@pytest.fixture(scope="module")
def reviews() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DEMO_DATA / "reviews.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def texts(reviews: list[dict[str, Any]]) -> dict[str, str]:
    return {review["review_id"]: review["text"] for review in reviews if "text" in review}


def test_the_same_seed_gives_the_very_bytes_that_ship(world: World, tmp_path: Path) -> None:
    write_world(world, tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (DEMO_DATA / name).read_bytes(), f"{name}: run python -m demo_world"


def test_another_seed_gives_another_world(world: World) -> None:
    assert make_world(SEED + 1).purchases[0] != world.purchases[0]


def test_it_is_as_large_as_promised_and_small_enough_to_ship(world: World) -> None:
    numbers = summary(world)
    assert numbers["items"] >= 150
    assert numbers["users"] >= 400
    assert numbers["interactions"] >= 12_000
    assert numbers["texts"] >= 2_500
    assert numbers["fewest texts of an item"] >= 6
    assert numbers["users in two scenarios or more"] >= 0.6
    assert 0.2 <= numbers["negative or mixed"] <= 0.32
    assert sum((DEMO_DATA / name).stat().st_size for name in FILES) < 5_000_000


def test_it_runs_over_24_months(reviews: list[dict[str, Any]]) -> None:
    months = {review["time"][:7] for review in reviews}
    assert len(months) == 24


def test_people_have_readable_names() -> None:
    names = [json.loads(line)["name"] for line in (DEMO_DATA / "users.jsonl").read_text("utf-8").splitlines()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"\w[\w'.-]* [\w'. -]+", name) for name in names)


def test_every_item_has_what_a_catalogue_shows() -> None:
    for line in (DEMO_DATA / "items.jsonl").read_text("utf-8").splitlines():
        item = json.loads(line)
        assert item["scenario"] in ("books", "kitchen", "outdoors")
        assert all(item[key] for key in ("title", "maker", "description", "price", "attributes"))


def test_no_two_texts_are_equal_and_they_vary_in_length(texts: dict[str, str]) -> None:
    assert len(set(texts.values())) == len(texts)
    lengths = sorted(len(text) for text in texts.values())
    assert lengths[len(lengths) // 10] < 100
    assert lengths[-len(lengths) // 10] > 400


def test_no_sentence_stands_in_more_than_one_in_a_hundred(texts: dict[str, str]) -> None:
    """Counted from the texts alone, as a reader would: letters only, without case."""
    sentences = Counter(
        letters
        for text in texts.values()
        for letters in {re.sub(r"[^a-z ]", "", part.lower()).strip() for part in re.split(r"[.!?…\n]+", text)}
        if letters
    )
    assert sentences.most_common(1)[0][1] <= len(texts) / 100, sentences.most_common(3)


def test_popularity_has_shapes_to_find(world: World) -> None:
    shapes = Counter(item.shape for item in world.items)
    assert {"rising", "fading", "spiky", "steady", "new"} <= shapes.keys()
    assert shapes.keys() & {"spring", "summer", "autumn", "winter"}
    sales = {shape: Counter[int]() for shape in shapes}
    for purchase in world.purchases:
        sales[purchase.item.shape][(purchase.time.year - 2024) * 12 + purchase.time.month - 7] += 1
    whole = Counter[int]()
    for one in sales.values():
        whole.update(one)

    def share(shape: str, months: range) -> float:
        return sum(sales[shape][month] for month in months) / sum(whole[month] for month in months)

    assert share("rising", range(18, 24)) > 1.5 * share("rising", range(6))
    assert share("fading", range(6)) > 1.5 * share("fading", range(18, 24))
    assert share("new", range(12)) == 0
    assert share("winter", range(5, 8)) > 2 * share("winter", range(11, 14))


# The truth -------------------------------------------------------------------------------------------------------------


def test_the_truth_points_at_whole_sentences(texts: dict[str, str]) -> None:
    truth = Truth.read()
    assert truth.sentences.keys() == texts.keys()
    for review, sentences in truth.sentences.items():
        covered = list(texts[review])
        for sentence in sentences:
            quoted = texts[review][sentence.start : sentence.end]
            assert quoted == quoted.strip() != ""
            covered[sentence.start : sentence.end] = [" "] * len(quoted)
        between = "".join(covered).strip()
        assert not re.search(r"\w", between), f"{review}: {between!r} belongs to no sentence"


def test_what_a_review_speaks_of_is_what_its_writer_wants_and_its_item_gives(reviews: list[dict[str, Any]]) -> None:
    truth = Truth.read()
    by_id = {review["review_id"]: review for review in reviews}
    for review, sentences in truth.sentences.items():
        writer, item = truth.users[by_id[review]["user_id"]], truth.items[by_id[review]["item_id"]]
        for sentence in sentences:
            if sentence.motive is None:
                assert sentence.kind is None
                continue
            assert sentence.motive in writer.motives
            assert sentence.motive in item.serves | item.disappoints
            if sentence.kind == "quality":
                told = item.serves if sentence.sentiment == "positive" else item.disappoints
                assert sentence.motive in told


def test_the_truth_covers_every_user_and_item() -> None:
    truth = Truth.read()
    assert len(truth.users) == 470
    assert len(truth.items) >= 150
    assert all(set(user.motives) <= truth.motives.keys() for user in truth.users.values())


# What the open web sends -----------------------------------------------------------------------------------------------


def test_odd_reviews_flow_through_the_same_readers(built_demo: Workspace) -> None:
    artefact = built_demo.artefact("catalog")
    reviews = Catalog.of(artefact).reviews().set_index("review_id")
    for number, (_, rating, text) in enumerate(USABLE):
        kept = reviews.loc[f"h{number:03d}"]
        assert kept["text"] == ("" if text.isspace() else text)
        assert kept["rating"] == rating
    assert sum(reviews.index.str.startswith("h")) == len(USABLE)
    assert reject_reasons(artefact.manifest.counts) == dict.fromkeys(
        ("bad JSON", "duplicate review", "duplicate review id", "impossible date", "impossible rating", "no date", "no item",
         "no user", "not an object", "text too long", "unreadable date", "unreadable rating"), 1,
    )  # fmt: skip


def test_what_is_odd_is_what_the_web_sends() -> None:
    joined = "\n".join(text for _, _, text in USABLE)
    for part in ("<script>", "](javascript:", "Ignore previous instructions", "\u202e", "ع", "🔥", "\x00"):
        assert part in joined
    assert max(len(text) for _, _, text in USABLE) == 5_000


def test_dates_lie_in_the_order_of_time(reviews: list[dict[str, Any]]) -> None:
    times = [datetime.fromisoformat(review["time"]) for review in reviews]
    assert times == sorted(times)
