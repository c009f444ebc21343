"""Every form that can be read gives the same catalogue for the same reviews; wrong files say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from persona_core.catalog import Catalog
from persona_core.catalog.choose import choose_source
from persona_core.catalog.readers import READERS, detect
from persona_core.catalog.readers.base import attributes_of, price_of, text_of
from persona_core.errors import SourceError
from persona_core.steps import pipeline_of
from persona_core.workspace import Workspace
from tests.support import worlds
from tests.support.worlds import FORMS

TEXTLESS = ("recbole", "movielens")


def catalog_of(place: Workspace, options: dict[str, Any]) -> Catalog:
    options = dict(options)
    choose_source(place, options.pop("source"), **options)
    pipeline_of(place).build("catalog")
    return Catalog.of(place.artefact("catalog"))


def test_every_reader_has_a_form_here() -> None:
    assert {name.split()[0] for name in FORMS} == set(READERS)


@pytest.mark.parametrize("form", FORMS)
def test_reads_the_same_reviews_from_every_form(form: str, tmp_path: Path, workspace: Workspace) -> None:
    catalog = catalog_of(workspace, FORMS[form](tmp_path))
    reviews = catalog.reviews()
    expected = worlds.tiny_reviews()
    assert reviews["user_id"].tolist() == [r["user_id"] for r in expected]
    assert reviews["item_id"].tolist() == [r["item_id"] for r in expected]
    assert reviews["rating"].tolist() == [r["rating"] for r in expected]
    assert [t.isoformat() for t in reviews["time"]] == [r["time"] for r in expected]
    assert reviews["text"].tolist() == [("" if form in TEXTLESS else r["text"]) for r in expected]
    assert reviews["review_id"].is_unique
    assert set(catalog.items()["item_id"]) == set(reviews["item_id"])
    assert set(catalog.users()["user_id"]) == set(reviews["user_id"])


@pytest.mark.parametrize("form", FORMS)
def test_recognises_the_form_by_itself(form: str, tmp_path: Path) -> None:
    options = FORMS[form](tmp_path)
    assert detect(Path(options["source"]), "columns" in options) == form.split(maxsplit=1)[0]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_files_give_the_same_bytes(form: str, tmp_path: Path) -> None:
    options = FORMS[form](tmp_path)
    contents = []
    for name in ("one", "two"):
        place = Workspace.at(tmp_path / name)
        catalog_of(place, options)
        contents.append(place.artefact("catalog").manifest.content)
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("form", "title", "maker", "price", "scenario", "attributes"),
    [
        ("demo", "Thing 0", "Maker 0", 10.0, "books", {"colour": "green"}),
        ("amazon-2018", "Brush", "Maker", 1204.5, "all beauty", {"category": "A, B"}),
        ("amazon-2023", "Brush", "Maker", 12.5, "all beauty", {"Brand": "Maker", "categories": "A"}),
        ("yelp", "Brush & Co", "", None, "yelp", {"place": "Reno, NV", "categories": "Cafes, Soup"}),
        ("recbole", "Brush", "", None, "movies", {"year": "1995", "genres": "Drama"}),
        ("movielens", "Brush, The (1995)", "", None, "movies", {"genres": "Drama, Comedy"}),
    ],
)
def test_reads_what_is_known_of_an_item(
    form: str, title: str, maker: str, price: float | None, scenario: str, attributes: dict[str, str],
    tmp_path: Path, workspace: Workspace,
) -> None:  # fmt: skip
    item = catalog_of(workspace, FORMS[form](tmp_path)).item("i0")
    assert item is not None
    assert (item.title, item.maker, item.price, item.scenario, item.attributes) == (title, maker, price, scenario, attributes)


@pytest.mark.parametrize(
    ("form", "user", "name"), [("demo", "u3", "User 3"), ("yelp", "u0", "Uma"), ("amazon-2018", "u0", "U0"),
                               ("table as csv", "u0", "U0"), ("movielens", "u0", "u0")]
)  # fmt: skip
def test_people_have_readable_names_where_the_data_has_them(
    form: str, user: str, name: str, tmp_path: Path, workspace: Workspace
) -> None:
    found = catalog_of(workspace, FORMS[form](tmp_path)).user(user)
    assert found is not None
    assert found.name == name


def test_an_items_table_is_mapped_with_its_own_prefix(tmp_path: Path, workspace: Workspace) -> None:
    options = worlds.table(tmp_path, "csv")
    items = tmp_path / "things.csv"
    items.write_text("sku,label,brand,cost,shelf\ni0,Brush,Maker,£4.20,bath\n")
    options["columns"] += ("item.item=sku", "item.title=label", "item.maker=brand", "item.price=cost", "item.scenario=shelf")
    item = catalog_of(workspace, {**options, "items": items}).item("i0")
    assert item is not None
    assert (item.title, item.maker, item.price, item.scenario) == ("Brush", "Maker", 4.2, "bath")


def test_a_missing_column_is_named_with_those_found_and_the_flag(tmp_path: Path, workspace: Workspace) -> None:
    options = worlds.table(tmp_path, "csv")
    options["columns"] = ("user=customer", "item=what", "time=when")
    with pytest.raises(SourceError) as caught:
        catalog_of(workspace, options)
    assert "customer" in caught.value.what
    assert "who, what, stars, when, words, called" in caught.value.why
    assert "--map" in caught.value.mend


def test_a_missing_json_key_is_named_too(tmp_path: Path, workspace: Workspace) -> None:
    options = worlds.table(tmp_path, "jsonl")
    options["columns"] = ("user=customer", "item=what", "time=when")
    with pytest.raises(SourceError, match="customer"):
        catalog_of(workspace, options)


def test_unmapped_needs_are_asked_for(tmp_path: Path, workspace: Workspace) -> None:
    options = worlds.table(tmp_path, "parquet")
    options["columns"] = ("user=who",)
    with pytest.raises(SourceError) as caught:
        catalog_of(workspace, options)
    assert "item and the time" in caught.value.what
    assert "--map item=COLUMN --map time=COLUMN" in caught.value.mend


def test_a_mapping_of_something_unknown_lists_what_is_known(tmp_path: Path, workspace: Workspace) -> None:
    options = worlds.table(tmp_path, "csv")
    with pytest.raises(SourceError, match="mood") as caught:
        catalog_of(workspace, {**options, "columns": (*options["columns"], "mood=stars")})
    assert "rating" in caught.value.why


def test_the_wrong_reader_says_what_it_wanted(tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(SourceError) as caught:
        catalog_of(workspace, {**worlds.amazon_2018(tmp_path), "reader": "amazon-2023"})
    assert "parent_asin" in caught.value.what
    assert "reviewerID" in caught.value.why


def test_an_unknown_form_shows_its_columns_and_the_flags(tmp_path: Path, workspace: Workspace) -> None:
    odd = tmp_path / "odd.csv"
    odd.write_text("a,b\n1,2\n")
    with pytest.raises(SourceError) as caught:
        catalog_of(workspace, {"source": str(odd)})
    assert "a, b" in caught.value.why
    assert "--map user=COLUMN" in caught.value.mend


def test_a_folder_without_its_items_is_refused_by_name(tmp_path: Path, workspace: Workspace) -> None:
    folder = worlds.write_tiny_world(tmp_path / "world")
    (folder / "users.jsonl").unlink()
    with pytest.raises(SourceError, match=r"users\.jsonl is not there"):
        catalog_of(workspace, {"source": str(folder)})


def test_nothing_there_is_said_so(tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(SourceError, match="nothing at"):
        catalog_of(workspace, {"source": str(tmp_path / "nowhere")})


def test_a_cut_off_gzip_file_is_recognised(tmp_path: Path, workspace: Workspace) -> None:
    options = worlds.amazon_2018(tmp_path, packed=True)
    file = Path(options["source"])
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(SourceError, match="not a whole gzip file"):
        catalog_of(workspace, options)


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    file = tmp_path / "broken.parquet"
    file.write_bytes(b"PAR1 but not really")
    with pytest.raises(SourceError, match="not a readable Parquet"):
        catalog_of(workspace, {"source": str(file), "columns": worlds.MAPPING})


def test_an_empty_file_is_an_error_not_an_empty_catalogue(tmp_path: Path, workspace: Workspace) -> None:
    file = worlds.write_lines(tmp_path / "empty.jsonl", [])
    with pytest.raises(SourceError, match="No usable review"):
        catalog_of(workspace, {"source": str(file), "reader": "amazon-2023"})


@pytest.mark.parametrize(
    ("given", "price"),
    [(12, 12.0), ("$1,299.00", 1299.0), ("from £4.99", 4.99), ("4.99 €", 4.99), ("", None), (None, None), ("free", None),
     (-3, None), (True, None), ("nan", None)],
)  # fmt: skip
def test_prices_are_understood_in_many_writings(given: Any, price: float | None) -> None:
    assert price_of(given) == price


def test_texts_of_a_list_are_joined_and_attributes_kept_short() -> None:
    assert text_of([" a ", "", None, "b"]) == "a\nb"
    assert text_of({"no": "text"}) == ""
    assert attributes_of({"a": "x" * 900, "b": ["1", 2], "c": None, "d": {"e": 1}}, ("a", "b", "c", "d")) == {
        "a": "x" * 300, "b": "1, 2", "e": "1",
    }  # fmt: skip
