"""Yelp's academic data set: a folder with `…review.json` and `…business.json`, and `…user.json` for names if it is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persona_core.catalog.fields import ItemFields, Reject, ReviewFields
from persona_core.catalog.lines import json_rows
from persona_core.catalog.readers.base import JsonLinesReader, id_of, text_of
from persona_core.errors import SourceError
from persona_core.schema import PriceBand

PRICE_BANDS = {"1": PriceBand.BUDGET, "2": PriceBand.MIDDLE, "3": PriceBand.PREMIUM, "4": PriceBand.PREMIUM}


class YelpReader(JsonLinesReader):
    name = "yelp"
    says = "a Yelp academic review file"
    wanted = ("review_id", "user_id", "business_id", "stars", "date")

    def _beside(self, kind: str) -> Path | None:
        folder = self.source.path if self.source.path.is_dir() else self.source.path.parent
        return next((file for file in sorted(folder.glob(f"*{kind}.json*")) if file.is_file()), None)

    @property
    def review_files(self) -> list[Path]:
        found = self._beside("review") if self.source.path.is_dir() else self.source.path
        if found is None:
            raise SourceError(f"{self.source.path} has no …review.json.", mend="name the folder that has it with --from")
        return [found]

    @property
    def other_files(self) -> list[Path]:
        beside = [self.source.items or self._beside("business"), self.source.users or self._beside("user")]
        return [file for file in beside if file is not None]

    def pick(self, row: dict[str, Any]) -> ReviewFields:
        get = row.get
        return get("user_id"), get("business_id"), get("stars"), get("date"), get("text"), get("review_id"), None

    def items(self) -> Iterator[tuple[int, ItemFields | Reject]]:
        file = self.source.items or self._beside("business")
        if file is None:
            return
        for line, row in json_rows(file):
            yield line, row if isinstance(row, Reject) else self._item(row)

    def _item(self, row: dict[str, Any]) -> ItemFields:
        categories = text_of(row.get("categories"))
        details = row.get("attributes")
        band = details.get("RestaurantsPriceRange2") if isinstance(details, dict) else None
        place = ", ".join(part for part in (text_of(row.get("city")), text_of(row.get("state"))) if part)
        return ItemFields(
            id=id_of(row.get("business_id")),
            title=text_of(row.get("name")),
            scenario=self.default_scenario,
            description=categories,
            price_band=PRICE_BANDS.get(id_of(band)),
            attributes={key: value for key, value in (("place", place), ("categories", categories)) if value},
        )

    def users(self) -> Iterator[tuple[str, str]]:
        file = self.source.users or self._beside("user")
        for _, row in json_rows(file) if file else ():
            if not isinstance(row, Reject):
                yield id_of(row.get("user_id")), text_of(row.get("name"))
