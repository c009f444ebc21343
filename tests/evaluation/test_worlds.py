"""The leak test: of a held-out review nothing reaches a cut world, in no file, prompt, persona, profile or pair."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from persona_core.alignment.pairs import World, pairs_of
from persona_core.alignment.steps import world_in, world_of
from persona_core.catalog.steps import CATALOG, SPLIT, SPLITS
from persona_core.catalog.store import Catalog
from persona_core.evaluation.arena import arena_of, in_world
from persona_core.evaluation.cases import Case
from persona_core.evaluation.worlds import Cut, cut_world, known_reviews, without_kind
from persona_core.llm import choice
from persona_core.personas.aspects import ASPECTS, read_aspects
from persona_core.pipeline import Pipeline
from persona_core.profiles.building import build_profile
from persona_core.profiles.steps import INPUTS
from persona_core.progress import Progress
from persona_core.schema import AspectKind
from persona_core.text.encoder import Matrix
from persona_core.workspace import Workspace
from tests.support.models import appears, looked_long_ago
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.remembered import batches_remembered
from tests.support.tastes import encode, plain_head
from tests.support.worlds import read_source, tiny_reviews
from tests.text import one_thread  # noqa: F401 - a fixture that works by being here

pytestmark = pytest.mark.xdist_group("encoder")
REVIEWS = 64
MARKER = "zorbulite"
"""No known review has this word, and every held-out one does."""
CUTS = [Cut("point_in_time", ("train",)), Cut("last_item_out", ("train",)), Cut("point_in_time", ("train", "valid"))]
EVERYTHING = Cut("point_in_time", ("train", "valid", "test"))
STEPS = ("catalog", "aspects", "personas")


# The worlds ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _each_batch_encoded_once() -> Iterator[None]:
    with batches_remembered() as patch:
        patch.setenv("PERSONA_OLLAMA_USE", "never")  # a fixture of a module is made before settings from outside are removed
        yield


def reviews() -> list[dict[str, Any]]:
    """Everybody writes something of every second thing they come to."""
    return [row | {"review_id": f"review<{number}>"} for number, row in enumerate(tiny_reviews(number=REVIEWS))]


def marked(
    rows: list[dict[str, Any]], known: set[str], says: str = f"The {MARKER} seal of number {{}} turned blue."
) -> list[dict[str, Any]]:
    """The same reviews, but those not known tell of something that no other does, each of its own thing."""
    return [
        row if row["review_id"] in known else row | {"text": says.format(f"{MARKER}{number}"), "rating": 6 - row["rating"]}
        for number, row in enumerate(rows)
    ]


def source_for(cut: Cut, folder: Path) -> Workspace:
    """A source whose reviews beyond this cut are marked. Which those are depends on people, things and times alone."""
    place = read_source(folder, reviews())
    return read_source(folder, marked(reviews(), known_reviews(place, cut)), place)


@pytest.fixture(scope="module", params=CUTS[:2], ids=lambda cut: cut.name)
def worlds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Cut, Workspace]:
    """A source, a cut of it, and the world that the cut leaves."""
    source = source_for(request.param, tmp_path_factory.mktemp("worlds") / "tiny")
    return source, request.param, cut_world(source, request.param)


def opened(place: Workspace) -> World:
    return world_in({name: place.artefact(name) for name in INPUTS})


def held_out(source: Workspace, cut: Cut) -> set[str]:
    return {row["review_id"] for row in reviews()} - known_reviews(source, cut)


def words_in(folder: Path) -> str:
    """All that stands in a folder's files, tables unpacked, and their names."""
    found = []
    for path in sorted(folder.rglob("*")):
        found.append(path.name)
        if path.is_file():
            found.append(path.read_bytes().decode("utf-8", "replace"))
            if path.suffix == ".parquet":
                found.append(json.dumps(pq.read_table(path).to_pylist(), default=str))
    return "\n".join(found)


def nothing_of(ids: set[str], text: str) -> None:
    assert MARKER not in text
    assert not [one for one in ids if one in text]


# The leak test ---------------------------------------------------------------------------------------------------------


def test_no_file_of_a_cut_world_knows_of_a_held_out_review(worlds: tuple[Workspace, Cut, Workspace]) -> None:
    source, cut, place = worlds
    away, known = held_out(source, cut), known_reviews(source, cut)
    assert min(len(away), len(known)) >= 6
    text = words_in(place.root)
    nothing_of(away, text)
    assert all(one in text for one in known)


def test_no_profile_knows_of_a_held_out_review(worlds: tuple[Workspace, Cut, Workspace]) -> None:
    source, cut, place = worlds
    world, known = opened(place), known_reviews(source, cut)
    assert {visit.review_id for visits in world.visits.values() for visit in visits} == known
    cited = set()
    for user, visits in world.visits.items():
        profile = build_profile(user, visits, world.items, world.known, world.now)
        nothing_of(held_out(source, cut), profile.model_dump_json())
        cited |= {review for phrase in (*profile.likes, *profile.dislikes) for review in phrase.review_ids}
    assert cited
    assert cited <= known


def test_no_pair_comes_from_a_held_out_review(worlds: tuple[Workspace, Cut, Workspace]) -> None:
    source, cut, place = worlds
    world, said = opened(place), []

    def listened(texts: Any) -> Matrix:
        said.extend(texts)
        return encode(texts)

    pairs = pairs_of(world, plain_head(), listened, lambda text: False)
    catalog = Catalog.of(source.artefact("catalog")).reviews()
    known = catalog[catalog["review_id"].isin(known_reviews(source, cut))]
    met = set(zip(known["user_id"], known["item_id"], strict=True))
    assert len(pairs) > 5
    assert {(pairs.users[user], world.items[item]) for user, item in zip(pairs.user, pairs.item, strict=True)} <= met
    assert {(user, world.items[item]) for user, own in zip(pairs.users, pairs.own, strict=True) for item in own} <= met
    assert said
    nothing_of(held_out(source, cut), "\n".join(said))
    assert world.now == int(known["time"].max().timestamp())


def test_whatever_the_held_out_reviews_say_the_world_is_the_same_byte_for_byte(
    worlds: tuple[Workspace, Cut, Workspace], tmp_path: Path
) -> None:
    """The strongest form: their words, their stars and their number leave no trace at all, not even in a mean."""
    source, cut, place = worlds
    known = known_reviews(source, cut)
    other = read_source(
        tmp_path / "tiny", marked(reviews(), known, "Dreadful, dreadful; I was so happy with the {}, a gift for my mother.")
    )
    assert known_reviews(other, cut) == known
    again = cut_world(other, cut)
    for step in STEPS:
        assert again.artefact(step).manifest.content == place.artefact(step).manifest.content, step


@pytest.mark.parametrize("kind", [AspectKind.QUALITY, AspectKind.PURPOSE])
def test_a_world_without_a_kind_is_the_same_world_without_it(worlds: tuple[Workspace, Cut, Workspace], kind: AspectKind) -> None:
    _, _, place = worlds
    less = without_kind(place, kind)
    whole, left = (read_aspects(one.artefact("aspects").file(ASPECTS)) for one in (place, less))
    assert set(left["kind"]) == set(whole["kind"]) - {str(kind)}
    assert len(left) == (whole["kind"] != str(kind)).sum()
    assert less.artefact("catalog").manifest.counts == place.artefact("catalog").manifest.counts
    world = opened(less)
    said = {(row.review_id, row.start, row.end) for row in left.itertuples()}
    assert all((quote.review_id, quote.start, quote.end) in said for one in world.personas for quote in one.quotes)


def test_people_met_with_a_world_of_less_said_what_that_world_read(worlds: tuple[Workspace, Cut, Workspace]) -> None:
    source, _, place = worlds
    less = without_kind(place, AspectKind.PREFERENCE)
    world, smaller = world_of(place), world_of(less)
    cases = []
    for user, visits in world.visits.items():
        target = world.items[visits[-1].item]
        history = tuple(dict.fromkeys(world.items[one.item] for one in visits if world.items[one.item] != target))
        cases += [Case(user, 2**31, history, target, "")] if history else []
    arena = in_world(arena_of("x", source, place, world, cases), smaller)
    assert len(arena.profiles) == len(cases), "every row of theirs is there"
    left = read_aspects(less.artefact("aspects").file(ASPECTS))
    rows = [(visit.review_id, row) for visits in arena.visits for visit in visits for row in visit.rows]
    assert rows
    assert all(left["review_id"].iloc[row] == review for review, row in rows)


def test_this_test_would_see_a_leak(worlds: tuple[Workspace, Cut, Workspace]) -> None:
    source, cut, _ = worlds
    leaky = cut_world(source, EVERYTHING)
    text = words_in(leaky.root)
    assert all(one in text for one in held_out(source, cut))
    assert MARKER in text
    assert MARKER in " ".join(read_aspects(leaky.artefact("aspects").file(ASPECTS))["text"])


def test_no_prompt_knows_of_a_held_out_review(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = CUTS[0]
    source = source_for(cut, tmp_path / "tiny")
    monkeypatch.delenv("PERSONA_OLLAMA_USE", raising=False)
    with OllamaStandIn(lambda request: json.dumps({"findings": [], "personas": []})) as server:
        appears(monkeypatch, server)
        place = cut_world(source, cut)
        asked = json.dumps(server.requests)
    looked_long_ago()
    assert "the handle came off in my hand" in asked
    nothing_of(held_out(source, cut), asked)
    nothing_of(held_out(source, cut), words_in(place.root))  # also the answers that are kept
    assert (place.root / choice.ANSWERS).exists()


# What a cut leaves -----------------------------------------------------------------------------------------------------


def test_a_cut_keeps_all_things_and_people_and_the_reviews_of_its_side(worlds: tuple[Workspace, Cut, Workspace]) -> None:
    source, cut, place = worlds
    whole, left = (Catalog.of(one.artefact("catalog")) for one in (source, place))
    assert left.items().equals(whole.items())
    assert left.users().equals(whole.users())
    kept = whole.reviews()
    kept = kept[kept["review_id"].isin(known_reviews(source, cut))].reset_index(drop=True)
    assert left.reviews().equals(kept)
    counts = place.artefact("catalog").manifest.counts
    assert counts == {"reviews": len(kept), "left out": REVIEWS - len(kept)}


def test_in_a_point_in_time_world_nothing_is_later_than_what_is_held_out(tmp_path: Path) -> None:
    source = read_source(tmp_path / "tiny", reviews())
    when = Catalog.of(source.artefact("catalog")).reviews().set_index("review_id")["time"]
    for cut in (CUTS[0], CUTS[2]):
        known, away = known_reviews(source, cut), held_out(source, cut)
        assert known
        assert away
        assert when[list(known)].max() < when[list(away)].min()
    assert known_reviews(source, CUTS[0]) < known_reviews(source, CUTS[2]) < known_reviews(source, EVERYTHING)


def test_a_cut_to_some_scenarios_has_only_their_things(worlds: tuple[Workspace, Cut, Workspace]) -> None:
    source, cut, _ = worlds
    place = cut_world(source, replace(cut, scenarios=("books", "outdoors")))
    left = Catalog.of(place.artefact("catalog"))
    assert set(left.items()["scenario"]) == {"books", "outdoors"}
    assert set(left.reviews()["item_id"]) <= set(left.items()["item_id"])
    assert set(left.reviews()["review_id"]) < known_reviews(source, cut)
    assert len(opened(place).items) == 4


def test_every_cut_has_a_place_of_its_own_beside_the_source(worlds: tuple[Workspace, Cut, Workspace]) -> None:
    source, cut, place = worlds
    assert place.root == source.root / "evaluation" / cut.name
    names = {one.name for one in [*CUTS, EVERYTHING, replace(cut, scenarios=("books",)), replace(cut, scenarios=("books", "kitchen"))]}
    assert len(names) == len(CUTS) + 3


# Built again -----------------------------------------------------------------------------------------------------------


def phases(source: Workspace, cut: Cut, home: Path | None = None) -> dict[str, str]:
    """Cuts, and says how each step ended."""
    heard: list[Progress] = []
    cut_world(source, cut, home, heard.append)
    return {one.step: one.phase for one in heard}


ALL_DONE, ALL_SKIPPED = dict.fromkeys(STEPS, "finished"), dict.fromkeys(STEPS, "skipped")


def test_what_is_there_is_not_built_again(worlds: tuple[Workspace, Cut, Workspace]) -> None:
    source, cut, _ = worlds
    assert phases(source, cut) == ALL_SKIPPED


def test_another_split_makes_another_world(tmp_path: Path) -> None:
    source, cut = read_source(tmp_path / "tiny", reviews()), CUTS[0]
    assert phases(source, cut) == ALL_DONE
    before = known_reviews(source, cut)
    with (source.root / "workspace.toml").open("a") as file:
        file.write("\n[splits]\nvalid_share = 0.2\ntest_share = 0.3\n")
    Pipeline((CATALOG, SPLIT), source).build()
    assert known_reviews(source, cut) < before
    assert phases(source, cut)["catalog"] == "finished"
    again = Catalog.of(Workspace.at(source.root / "evaluation" / cut.name).artefact("catalog")).reviews()
    assert set(again["review_id"]) == known_reviews(source, cut)


def test_another_source_makes_another_world(tmp_path: Path) -> None:
    source, cut = read_source(tmp_path / "tiny", reviews()), CUTS[1]
    assert phases(source, cut) == ALL_DONE
    rows = reviews()
    rows[0]["text"] = "Number 0. It was a gift for my mother, who loves it."
    read_source(tmp_path / "tiny", rows, source)
    assert phases(source, cut) == ALL_DONE
    place = Workspace.at(source.root / "evaluation" / cut.name)
    assert "loves it" in " ".join(Catalog.of(place.artefact("catalog")).reviews()["text"])


def test_two_sources_do_not_share_a_world_even_in_one_home(worlds: tuple[Workspace, Cut, Workspace], tmp_path: Path) -> None:
    source, cut, place = worlds
    other = read_source(tmp_path / "tiny", reviews()[: REVIEWS - 8])
    assert phases(source, cut, tmp_path / "home")["catalog"] == "finished"
    assert phases(other, cut, tmp_path / "home")["catalog"] == "finished"
    here = Workspace.at(tmp_path / "home" / cut.name).artefact("catalog")
    assert here.manifest.content != place.artefact("catalog").manifest.content


@pytest.mark.parametrize("stopped_at", STEPS)
def test_a_cut_that_was_stopped_goes_on_where_it_was(
    stopped_at: str, worlds: tuple[Workspace, Cut, Workspace], tmp_path: Path
) -> None:
    source, cut, place = worlds

    def stop(progress: Progress) -> None:
        if (progress.step, progress.phase) == (stopped_at, "started"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_world(source, cut, tmp_path, stop)
    done = STEPS[: STEPS.index(stopped_at)]
    assert phases(source, cut, tmp_path) == ALL_DONE | dict.fromkeys(done, "skipped")
    again = Workspace.at(tmp_path / cut.name)
    assert [again.artefact(step).manifest.content for step in STEPS] == [place.artefact(step).manifest.content for step in STEPS]


def test_a_source_without_splits_is_no_source(tmp_path: Path) -> None:
    from persona_core.errors import WorkspaceMissing

    with pytest.raises(WorkspaceMissing) as refused:
        cut_world(Workspace.at(tmp_path / "none"), CUTS[0])
    assert "build" in refused.value.mend


def test_the_splits_name_every_review(tmp_path: Path) -> None:
    source = read_source(tmp_path / "tiny", reviews())
    table = pq.read_table(source.artefact("splits").file(SPLITS)).to_pandas()
    assert set(table["review_id"]) == {row["review_id"] for row in reviews()}
    assert set(table["last_item_out"]) <= {"train", "valid", "test", "unused"}
