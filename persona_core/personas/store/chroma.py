"""The store on disk or on a server: Chroma's approximate index, read exactly where approximation will not do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.personas.store.checks import best_of_each_item, check_encoder, ranked, unit_query
from persona_core.personas.store.chroma_client import (
    Place,
    ServerPlace,
    chroma_errors,
    close,
    embedded_client,
    server_client,
)
from persona_core.personas.store.chroma_names import COLLECTION, collection_name, server_said
from persona_core.personas.store.protocol import BUILD, Encoder, Hit, Matrix, Vector

PERSONAS_AN_ITEM = 4
"""How many rows are asked for at first for each item that is wanted."""
EXACT_ITEMS = 300
"""Up to so many named items are read and compared exactly, which is no slower than asking the index."""
ITEMS_A_QUESTION = 10_000
"""SQLite bears 32,766 values in one `$in`."""
PAGE = 2_000
SAME = 1e-6
"""Chroma's float32 cosines of equal vectors may differ by so much."""

Where = dict[str, Any]


class ChromaStore:
    """One finished collection; made by `open_embedded` and `open_on_server`."""

    def __init__(self, client: Any, collection: Any, encoder: Encoder, rows: int, place: Place) -> None:
        self._client, self._collection, self._encoder, self._count, self._place = client, collection, encoder, rows, place

    @classmethod
    def open_embedded(cls, folder: Path, expected: Encoder | None = None, *, mend: str = BUILD) -> Self:
        place = Place(str(folder), mend)
        if not (folder / "chroma.sqlite3").is_file():  # the client would make one
            raise WorkspaceMissing(f"There is no persona index in {folder}.", mend=mend)
        with chroma_errors(place):
            client = embedded_client(folder)
        return cls._of(client, COLLECTION, place, expected)

    @classmethod
    def open_on_server(cls, where: ServerPlace, expected: Encoder | None = None, *, mend: str = BUILD) -> Self:
        place = Place(server_said(where), mend, where.url)
        with chroma_errors(place):
            client = server_client(place)
        return cls._of(client, collection_name(where), place, expected)

    @classmethod
    def _of(cls, client: Any, name: str, place: Place, expected: Encoder | None) -> Self:
        try:
            with chroma_errors(place):
                collection = client.get_collection(name, embedding_function=None)  # or it attaches one that downloads
                rows = collection.count()
            said = collection.metadata or {}
            if said.get("complete") is not True or said.get("personas") != rows:
                why = f"It holds {rows:,} of {said.get('personas', 'an unknown number of')} personas: its build did not end."
                raise ArtefactBroken(f"The persona index in {place.said} is not whole.", why=why, mend=place.mend)
            encoder = Encoder(str(said.get("model")), int(said.get("dimension", 0)))
            check_encoder(encoder, expected, place.said, place.mend)
            return cls(client, collection, encoder, rows, place)
        except BaseException:
            close(client)
            raise

    @property
    def model(self) -> str:
        return self._encoder.model

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    def count(self) -> int:
        return self._count

    def nearest(
        self,
        vector: Vector,
        k: int,
        *,
        scenario: str | None = None,
        stances: Collection[str] | None = None,
        items: Collection[str] | None = None,
    ) -> list[Hit]:
        query = unit_query(vector, self.dimension, self._place.mend)
        if k <= 0 or not self._count:
            return []
        if items is not None and len(set(items)) <= EXACT_ITEMS:
            return self._read(query, list(_questions(scenario, stances, items)))[:k]
        parts = [self._nearest(query, k, where) for where in _questions(scenario, stances, items)]
        return ranked(hit for part in parts for hit in part)[:k]

    def score(self, vector: Vector, items: Sequence[str], *, stances: Collection[str] | None = None) -> dict[str, Hit]:
        query = unit_query(vector, self.dimension, self._place.mend)
        return {hit.item_id: hit for hit in self._read(query, list(_questions(None, stances, items)))}

    def close(self) -> None:
        close(self._client)

    # Asking the index ------------------------------------------------------------------------------------------------

    def _nearest(self, query: Matrix, k: int, where: Where | None) -> list[Hit]:
        """Asks for more and more rows until they hold k items and none that ties with the last; else reads all."""
        asked = min(k * PERSONAS_AN_ITEM, self._count)
        while True:
            rows = self._ask(query, asked, where)
            found = best_of_each_item(rows)
            settled = len(found) >= k and rows[-1].cosine < found[k - 1].cosine - SAME
            if settled or len(rows) == self._count:
                return found[:k]
            if len(rows) < asked:  # either there are no more or the index lost its way to them; it cannot tell
                return self._read(query, [where])[:k]
            asked = min(asked * 4, self._count)

    def _ask(self, query: Matrix, rows: int, where: Where | None) -> list[Hit]:
        with chroma_errors(self._place):
            found = self._collection.query(query_embeddings=[query], n_results=rows, where=where, include=["metadatas", "distances"])
        cosines = np.clip(1.0 - np.asarray(found["distances"][0], np.float64), -1.0, 1.0).tolist()
        return [_hit(*row) for row in zip(found["ids"][0], found["metadatas"][0], cosines, strict=True)]

    # Reading exactly -------------------------------------------------------------------------------------------------

    def _read(self, query: Matrix, questions: Sequence[Where | None]) -> list[Hit]:
        """The best persona of every item that the questions let through, in rank order."""
        best: dict[str, Hit] = {}
        for where in questions:
            for hit in self._pages(query.astype(np.float64), where):
                other = best.get(hit.item_id)
                if other is None or (-hit.cosine, hit.persona_id) < (-other.cosine, other.persona_id):
                    best[hit.item_id] = hit
        return ranked(best.values())

    def _pages(self, query: Vector, where: Where | None) -> Iterator[Hit]:
        for start in range(0, self._count, PAGE):
            with chroma_errors(self._place):
                page = self._collection.get(where=where, limit=PAGE, offset=start, include=["metadatas", "embeddings"])
            if page["ids"]:
                vectors = np.asarray(page["embeddings"], np.float64)
                cosines = np.clip(np.einsum("ij,j->i", vectors, query), -1.0, 1.0).tolist()
                yield from (_hit(*row) for row in zip(page["ids"], page["metadatas"], cosines, strict=True))
            if len(page["ids"]) < PAGE:
                return


def _hit(persona_id: str, said: dict[str, str], cosine: float) -> Hit:
    return Hit(persona_id, said["item"], said["stance"], cosine)


def _questions(scenario: str | None, stances: Collection[str] | None, items: Collection[str] | None) -> Iterator[Where | None]:
    """The filters in Chroma's words: several where there are more items than one question bears, none for no item."""
    fixed: list[Where] = [] if scenario is None else [{"scenario": scenario}]
    if stances is not None:
        if not stances:
            return  # Chroma refuses an empty $in
        fixed.append({"stance": {"$in": sorted(set(stances))}})
    if items is None:
        yield _all_of(fixed)
        return
    names = sorted(set(items))
    for start in range(0, len(names), ITEMS_A_QUESTION):
        yield _all_of([*fixed, {"item": {"$in": names[start : start + ITEMS_A_QUESTION]}}])


def _all_of(parts: list[Where]) -> Where | None:
    """Chroma wants no `where` for no condition, the condition itself for one, `$and` for more."""
    return {"$and": parts} if len(parts) > 1 else parts[0] if parts else None
