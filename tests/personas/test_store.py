"""What every persona store must do, whichever door it lies behind; and what a server must do alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from persona_core.errors import ArtefactBroken, PersonaError, SettingsError, WorkspaceMissing
from persona_core.personas.store import (
    Encoder,
    IndexUnreachable,
    MemoryStore,
    PersonaStore,
    ServerPlace,
    StoredPersona,
    build_embedded,
    build_on_server,
    open_store,
)
from persona_core.personas.store.chroma_client import Place as ClientPlace
from persona_core.personas.store.chroma_client import server_client
from tests.support.server import free_port
from tests.support.stores import (
    CHROMA,
    DIMENSION,
    MEND,
    MODEL,
    by_hand,
    chroma_serving,
    crowd_vector,
    question,
    same,
    units,
    world,
)

pytestmark = pytest.mark.xdist_group("chroma")
numbers = count()

# The doors -------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked() -> np.ndarray:
    return question()


@pytest.fixture(scope="session")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if CHROMA is None:
        pytest.skip("the executable `chroma` is not on the PATH; it comes with pip install chromadb")
    with chroma_serving(tmp_path_factory.mktemp("server")) as url:
        yield url


def in_memory(folder: Path, personas: Sequence[StoredPersona], matrix: np.ndarray, expected: Encoder) -> PersonaStore:
    MemoryStore.of(personas, matrix, MODEL).save(folder)
    return open_store("memory", folder, expected, mend=MEND)


def embedded(folder: Path, personas: Sequence[StoredPersona], matrix: np.ndarray, expected: Encoder) -> PersonaStore:
    build_embedded(folder, personas, matrix, MODEL)
    return open_store("chroma", folder, expected, mend=MEND)


def served(url: str, personas: Sequence[StoredPersona], matrix: np.ndarray, expected: Encoder) -> PersonaStore:
    place = ServerPlace(url, f"workspace {next(numbers)}", "v1")
    build_on_server(place, personas, matrix, MODEL)
    return open_store("chroma", place, expected, mend=MEND)


Make = Callable[[Sequence[StoredPersona], np.ndarray, Encoder], PersonaStore]


@pytest.fixture(scope="module", params=["memory", "embedded", "server"])
def make(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Builds a store behind one of the doors and opens it as one of `expected`."""
    opened: list[PersonaStore] = []
    url = request.getfixturevalue("chroma_server") if request.param == "server" else ""

    def make(personas: Sequence[StoredPersona], matrix: np.ndarray, expected: Encoder) -> PersonaStore:
        folder = tmp_path_factory.mktemp("store") / "index"
        if request.param == "server":
            store = served(url, personas, matrix, expected)
        else:
            store = (in_memory if request.param == "memory" else embedded)(folder, personas, matrix, expected)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture(scope="module")
def store(make: Make) -> PersonaStore:
    return make(*world(), Encoder(MODEL, DIMENSION))


# What all must do ----------------------------------------------------------------------------------------------------


def test_it_says_what_it_holds(store: PersonaStore) -> None:
    assert isinstance(store, PersonaStore)
    assert (store.count(), store.model, store.dimension) == (len(world()[0]), MODEL, DIMENSION)


@pytest.mark.parametrize("k", [1, 7, 60])
def test_the_best_persona_of_each_item_in_order(store: PersonaStore, asked: np.ndarray, k: int) -> None:
    same(store.nearest(asked, k), by_hand(*world(), asked, lambda _: True)[:k])


FILTERS = [
    ({"scenario": "s1"}, lambda p: p.scenario == "s1"),
    ({"stances": ["critic"]}, lambda p: p.stance == "critic"),
    ({"stances": {"fan", "critic"}}, lambda p: True),
    ({"items": ["i03", "i04", "i05", "nobody's"]}, lambda p: p.item_id in ("i03", "i04", "i05")),
    ({"scenario": "s2", "stances": ["fan"]}, lambda p: p.scenario == "s2" and p.stance == "fan"),
    ({"stances": ["critic"], "items": ["i03", "crowd"]}, lambda p: p.item_id == "i03" and p.stance == "critic"),
    (
        {"scenario": "s0", "stances": ["fan"], "items": [f"i{n:02d}" for n in range(0, 60, 2)]},
        lambda p: p.item_id != "crowd" and int(p.item_id[1:]) % 2 == 0 and p.scenario == "s0" and p.stance == "fan",
    ),
]


@pytest.mark.parametrize(("filters", "keep"), FILTERS)
@pytest.mark.parametrize("k", [3, 100])
def test_filters_alone_and_together(
    store: PersonaStore, asked: np.ndarray, filters: dict[str, object], keep: Callable[[StoredPersona], bool], k: int
) -> None:
    same(store.nearest(asked, k, **filters), by_hand(*world(), asked, keep)[:k])


@pytest.mark.parametrize(
    "filters",
    [{"scenario": "nowhere"}, {"stances": []}, {"stances": ["bored"]}, {"items": []}, {"items": ["nobody's"]},
     {"scenario": "s1", "items": ["i00"]}],
)  # fmt: skip
def test_nothing_fits(store: PersonaStore, asked: np.ndarray, filters: dict[str, object]) -> None:
    assert store.nearest(asked, 5, **filters) == []


def test_a_crowd_of_one_item_does_not_keep_the_others_out(store: PersonaStore) -> None:
    found = store.nearest(crowd_vector(), 20)
    assert found[0].item_id == "crowd"
    assert len({hit.item_id for hit in found}) == 20
    same(found[1:], by_hand(*world(), crowd_vector(), lambda p: p.item_id != "crowd")[:19])


def test_more_than_there_is_gives_all(store: PersonaStore, asked: np.ndarray) -> None:
    same(store.nearest(asked, 10_000), by_hand(*world(), asked, lambda _: True))
    assert store.nearest(asked, 0) == []


def test_scores_of_named_items(store: PersonaStore, asked: np.ndarray) -> None:
    items = ["i10", "crowd", "nobody's", "i11", "i10"]
    wanted = {hit.item_id: hit for hit in by_hand(*world(), asked, lambda p: p.item_id in items)}
    found = store.score(asked, items)
    assert found.keys() == wanted.keys() == {"i10", "i11", "crowd"}
    same([found[item] for item in wanted], list(wanted.values()))
    assert store.score(asked, []) == store.score(asked, ["nobody's"]) == {}


def test_scores_among_some_stances(store: PersonaStore, asked: np.ndarray) -> None:
    found = store.score(asked, ["i10", "crowd"], stances=["critic"])
    same(list(found.values()), by_hand(*world(), asked, lambda p: p.item_id == "i10" and p.stance == "critic"))
    assert store.score(asked, ["i10"], stances=[]) == {}


def test_the_length_of_the_asked_vector_does_not_matter(store: PersonaStore, asked: np.ndarray) -> None:
    same(store.nearest(asked * 1000, 5), store.nearest(asked.astype(np.float32), 5))
    assert all(hit.cosine == pytest.approx(0, abs=1e-6) for hit in store.nearest(np.zeros(DIMENSION), 5))


def test_ties_are_settled_by_persona_id(make: Make) -> None:
    vectors = np.repeat(units(np.ones((1, DIMENSION))), 40, axis=0)
    personas = [StoredPersona(f"{n % 20:02d}:{'ba'[n // 20]}", f"item {n % 20}", "s", "fan", "") for n in range(40)]
    store = make(personas, vectors, Encoder(MODEL, DIMENSION))
    for k in (1, 5, 20):
        assert [hit.persona_id for hit in store.nearest(np.ones(DIMENSION), k)] == [f"{n:02d}:a" for n in range(k)]
    assert store.score(np.ones(DIMENSION), ["item 3"])["item 3"].persona_id == "03:a"


def test_an_empty_store_answers(make: Make, asked: np.ndarray) -> None:
    store = make([], np.empty((0, DIMENSION), np.float32), Encoder(MODEL, DIMENSION))
    assert (store.count(), store.nearest(asked, 3), store.score(asked, ["i01"])) == (0, [], {})


def test_ids_and_names_may_hold_anything(make: Make, asked: np.ndarray) -> None:
    odd = ['"', "'; drop table", "名前", "a\nb", "$in", "{}", " "]
    personas = [StoredPersona(f"{name}:p", name, name, name, name) for name in odd]
    vectors = units(np.random.default_rng(3).normal(size=(len(odd), DIMENSION)))
    store = make(personas, vectors, Encoder(MODEL, DIMENSION))
    for name in odd:
        assert [hit.item_id for hit in store.nearest(asked, 9, scenario=name, stances=[name], items=[name])] == [name]


@pytest.mark.parametrize("wanted", [Encoder("other", DIMENSION), Encoder(MODEL, DIMENSION + 1)])
def test_another_encoder_is_refused_on_opening(make: Make, wanted: Encoder) -> None:
    with pytest.raises(ArtefactBroken, match="another encoder") as refused:
        make(*world(), wanted)
    assert refused.value.mend == MEND


def test_a_vector_of_another_length_is_refused(store: PersonaStore) -> None:
    for ask in (lambda v: store.nearest(v, 3), lambda v: store.score(v, ["i01"])):
        with pytest.raises(PersonaError, match="16 numbers, but was asked with 15") as refused:
            ask(np.ones(DIMENSION - 1))
        assert refused.value.mend == MEND
    with pytest.raises(ValueError, match="NaN"):
        store.nearest(np.full(DIMENSION, np.nan), 3)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [(lambda p, m: (p, m * 2), "normalised"), (lambda p, m: (p, m * np.nan), "normalised"),
     (lambda p, m: (p[1:], m), "as many rows"), (lambda p, m: (p, m.astype(np.float64)), "float32"),
     (lambda p, m: ([p[0], *p[:-1]], m), "same id")],
)  # fmt: skip
def test_what_no_store_is_built_from(make: Make, change: Callable, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make(*change(*world()), Encoder(MODEL, DIMENSION))


def test_many_threads_may_ask_at_once(store: PersonaStore, asked: np.ndarray) -> None:
    wanted = store.nearest(asked, 5, scenario="s1")
    wrong: list[object] = []

    def ask() -> None:
        for _ in range(5):
            if (found := store.nearest(asked, 5, scenario="s1")) != wanted:
                wrong.append(found)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_reader_keeps_answering_while_a_new_version_is_built(make: Make, asked: np.ndarray) -> None:
    encoder = Encoder(MODEL, DIMENSION)
    reader = make(*world(), encoder)
    wanted = reader.nearest(asked, 5)
    done = threading.Event()
    built: list[PersonaStore] = []

    def build() -> None:
        personas, matrix = world()
        built.append(make(personas[:50], matrix[:50], encoder))
        done.set()

    builder = threading.Thread(target=build)
    builder.start()
    while not done.is_set() and builder.is_alive():
        assert reader.nearest(asked, 5) == wanted
    builder.join()
    assert built[0].count() == 50
    assert (reader.count(), reader.nearest(asked, 5)) == (len(world()[0]), wanted)


# A server alone -------------------------------------------------------------------------------------------------


def test_a_server_that_is_not_there() -> None:
    place = ServerPlace(f"http://127.0.0.1:{free_port()}", "w", "v1")
    with pytest.raises(IndexUnreachable, match="does not answer") as away:
        open_store("chroma", place)
    assert "chroma run" in away.value.mend
    assert "PERSONA_CHROMA_URL" in away.value.mend
    with pytest.raises(IndexUnreachable):
        build_on_server(place, *world(), MODEL)


def test_a_listener_that_never_answers_does_not_hang_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_core.personas.store.chroma_client.CONNECT_S", 0.3)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        with pytest.raises(IndexUnreachable):
            open_store("chroma", ServerPlace(f"http://127.0.0.1:{deaf.getsockname()[1]}", "w", "v1"))


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "http://", "http://x:port", "http://x/path"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(SettingsError, match="not the address"):
        open_store("chroma", ServerPlace(url, "w", "v1"))


def test_a_version_that_the_server_does_not_hold(chroma_server: str) -> None:
    with pytest.raises(WorkspaceMissing) as missing:
        open_store("chroma", ServerPlace(chroma_server, "never seen", "v1"), mend=MEND)
    assert missing.value.mend == MEND


def test_a_server_keeps_this_version_and_the_one_before(chroma_server: str, asked: np.ndarray) -> None:
    personas, matrix = world()

    def place(workspace: str, version: str) -> ServerPlace:
        return ServerPlace(chroma_server, workspace, version)

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    build_on_server(place("neighbour", "v1"), personas[:9], matrix[:9], MODEL)
    for version in ("v1", "v2"):
        build_on_server(place("ours", version), personas[:20], matrix[:20], MODEL)
    with pytest.raises(KeyboardInterrupt):
        build_on_server(place("ours", "v3"), personas[:20], matrix[:20], MODEL, tell=stop)
    with pytest.raises(ArtefactBroken, match="not whole"):
        open_store("chroma", place("ours", "v3"))
    before = open_store("chroma", place("ours", "v2"))
    wanted = before.nearest(asked, 3)
    build_on_server(place("ours", "v4"), personas, matrix, MODEL)
    assert before.nearest(asked, 3) == wanted
    for workspace, version in (("ours", "v4"), ("ours", "v2"), ("neighbour", "v1")):
        open_store("chroma", place(workspace, version)).close()
    for gone in ("v1", "v3"):
        with pytest.raises(WorkspaceMissing):
            open_store("chroma", place("ours", gone))
    build_on_server(place("ours", "v5"), personas, matrix, MODEL)  # now v2 goes, under its reader
    with pytest.raises(WorkspaceMissing):
        before.nearest(asked, 3)
    before.close()


def test_a_collection_that_others_made_is_not_taken_for_ours(chroma_server: str) -> None:
    client = server_client(ClientPlace("here", url=chroma_server))
    client.create_collection("somebody-elses", embedding_function=None)
    build_on_server(ServerPlace(chroma_server, "polite", "v1"), *world(), MODEL)
    build_on_server(ServerPlace(chroma_server, "polite", "v2"), *world(), MODEL)
    assert "somebody-elses" in {one.name for one in client.list_collections()}
    client.close()


def test_memory_does_not_lie_on_a_server() -> None:
    with pytest.raises(ValueError, match="door 'chroma'"):
        open_store("memory", ServerPlace("http://127.0.0.1:1", "w", "v1"))
