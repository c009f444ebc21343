"""The demo world, and any folder of its form: items.jsonl, users.jsonl, reviews.jsonl, and hostile.jsonl if it is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persona_core.catalog.fields import ItemFields, Reject, ReviewFields
from persona_core.catalog.lines import json_rows
from persona_core.catalog.readers.base import JsonLinesReader, attributes_of, id_of, price_of, text_of


class DemoReader(JsonLinesReader):
    name = "demo"
    says = "a folder in the demo world's form"
    wanted = ("review_id", "user_id", "item_id", "rating", "time")

    @property
    def review_files(self) -> list[Path]:
        odd = self.source.path / "hostile.jsonl"
        return [self.source.path / "reviews.jsonl", *([odd] if odd.exists() else [])]

    @property
    def other_files(self) -> list[Path]:
        return [self.source.path / "items.jsonl", self.source.path / "users.jsonl"]

    def pick(self, row: dict[str, Any]) -> ReviewFields:
        get = row.get
        return get("user_id"), get("item_id"), get("rating"), get("time"), get("text"), get("review_id"), None

    def items(self) -> Iterator[tuple[int, ItemFields | Reject]]:
        for line, row in json_rows(self.other_files[0]):
            if isinstance(row, Reject):
                yield line, row
                continue
            facts = row.get("attributes")
            yield (
                line,
                ItemFields(
                    id=id_of(row.get("item_id")),
                    title=text_of(row.get("title")),
                    scenario=text_of(row.get("scenario")),
                    maker=text_of(row.get("maker")),
                    description=text_of(row.get("description")),
                    price=price_of(row.get("price")),
                    attributes=attributes_of({"all": facts}, ("all",)) if isinstance(facts, dict) else {},
                ),
            )

    def users(self) -> Iterator[tuple[str, str]]:
        for _, row in json_rows(self.other_files[1]):
            if not isinstance(row, Reject):
                yield id_of(row.get("user_id")), text_of(row.get("name"))
