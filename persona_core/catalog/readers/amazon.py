"""Amazon Reviews as published by the McAuley lab: 2018 (5-core JSON) and 2023 (JSONL with `parent_asin`), plain or gzipped."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persona_core.catalog.fields import ItemFields, Reject, ReviewFields
from persona_core.catalog.lines import json_rows
from persona_core.catalog.readers.base import JsonLinesReader, attributes_of, id_of, price_of, text_of


class _AmazonReader(JsonLinesReader):
    @property
    def review_files(self) -> list[Path]:
        return [self.source.path]

    @property
    def default_scenario(self) -> str:
        """The file's own category: `All_Beauty_5.json.gz` is "all beauty"."""
        stem = re.sub(r"(_5)?(\.jsonl?|\.gz)+$", "", self.source.path.name)
        return self.source.scenario or stem.replace("_", " ").lower()

    def items(self) -> Iterator[tuple[int, ItemFields | Reject]]:
        if self.source.items is None:
            return
        for line, row in json_rows(self.source.items):
            yield line, row if isinstance(row, Reject) else self._item(row)

    @abstractmethod
    def _item(self, row: dict[str, Any]) -> ItemFields: ...


class Amazon2018Reader(_AmazonReader):
    name = "amazon-2018"
    says = "an Amazon Reviews 2018 file"
    wanted = ("reviewerID", "asin", "overall", "unixReviewTime")

    def pick(self, row: dict[str, Any]) -> ReviewFields:
        get = row.get
        return (
            get("reviewerID"), get("asin"), get("overall"), get("unixReviewTime"), get("reviewText"), None,
            get("reviewerName"),
        )  # fmt: skip

    def _item(self, row: dict[str, Any]) -> ItemFields:
        return ItemFields(
            id=id_of(row.get("asin")),
            title=text_of(row.get("title")),
            scenario=self.default_scenario,
            maker=text_of(row.get("brand")),
            description=text_of(row.get("description")) or text_of(row.get("feature")),
            price=price_of(row.get("price")),
            attributes=attributes_of(row, ("category", "main_cat")),
        )


class Amazon2023Reader(_AmazonReader):
    name = "amazon-2023"
    says = "an Amazon Reviews 2023 file"
    wanted = ("user_id", "parent_asin", "rating", "timestamp")

    def pick(self, row: dict[str, Any]) -> ReviewFields:
        get = row.get
        return get("user_id"), get("parent_asin"), get("rating"), get("timestamp"), get("text"), None, None

    def _item(self, row: dict[str, Any]) -> ItemFields:
        return ItemFields(
            id=id_of(row.get("parent_asin")),
            title=text_of(row.get("title")),
            scenario=self.source.scenario or text_of(row.get("main_category")).lower() or self.default_scenario,
            maker=text_of(row.get("store")),
            description=text_of(row.get("description")) or text_of(row.get("features")),
            price=price_of(row.get("price")),
            attributes=attributes_of(row, ("categories", "details")),
        )
