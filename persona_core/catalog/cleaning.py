"""Judges raw rows: turns what can be used into clean columns and says of the rest why not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from persona_core.catalog.fields import Reject, ReviewRow

EARLIEST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())
LATEST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
"""Fixed, and not today: what is read must not depend on this machine's clock."""
LONGEST_TEXT = 50_000
LONGEST_ID = 200
"""Ids stand in addresses, lists and logs; those of real data have a few dozen characters."""
LONGEST_NAME = 200
PLAIN_SCALE = (0.5, 5.0)
BATCH = 50_000
LOGGED_REJECTS = 200_000

CleanReview = tuple[str, str, str, float | None, int, str]
"""review id, user, item, rating on 1 to 5, seconds since 1970, text."""


class RejectLog:
    """Counts rows that cannot be used by reason, and writes where each stands."""

    def __init__(self, path: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._file = path.open("wb")

    def add(self, file: Path, line: int, reject: Reject) -> None:
        self.counts[reject.reason] += 1
        if self.counts.total() <= LOGGED_REJECTS:
            row = {"file": file.name, "line": line, "reason": reject.reason, "detail": reject.detail[:300]}
            self._file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()


class Cleaner:
    """Judges the rows of one source; remembers what it has seen, so that nothing is taken twice."""

    def __init__(self, rejects: RejectLog, scale: tuple[float, float] | None = None) -> None:
        self.rejects = rejects
        self.low, self.high = scale or PLAIN_SCALE
        self.stretch = None if scale is None or scale == (1.0, 5.0) else 4.0 / (self.high - self.low)
        self.names: dict[str, str] = {}
        self._seen: set[bytes] = set()
        self._ids: set[str] = set()

    def batches(self, file: Path, rows: Iterable[ReviewRow]) -> Iterator[list[CleanReview]]:
        """Clean reviews in batches; the rest goes to the reject log."""
        batch: list[CleanReview] = []
        for line, row in rows:
            judged = row if type(row) is Reject else self._judge(row)
            if type(judged) is Reject:
                self.rejects.add(file, line, judged)
                continue
            batch.append(judged)  # type: ignore[arg-type]
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _judge(self, row: Any) -> CleanReview | Reject:
        user, item, rating, time, text, own_id, name = row
        user = user.strip() if type(user) is str else _identifier(user)
        item = item.strip() if type(item) is str else _identifier(item)
        if not user:
            return Reject("no user")
        if not item:
            return Reject("no item")
        if len(user) > LONGEST_ID or len(item) > LONGEST_ID:
            return Reject("id too long", f"more than {LONGEST_ID} characters")
        seconds = time if type(time) is int and EARLIEST <= time < LATEST else seconds_since_1970(time)
        if type(seconds) is Reject:
            return seconds
        if self.stretch is None and type(rating) is float and self.low <= rating <= self.high:
            pass  # as nearly all are
        elif rating is not None:
            rating = self._rating(rating)
            if type(rating) is Reject:
                return rating
        if type(text) is not str:
            if isinstance(text, dict | list | bytes):
                return Reject("unreadable text", type(text).__name__)
            text = "" if text is None else str(text)
        if len(text) > LONGEST_TEXT:
            return Reject("text too long", f"{len(text):,} characters")
        if text.isspace():
            text = ""
        try:
            key = blake2b(f"{user}\t{item}\t{seconds}\t{text}".encode(), digest_size=9).digest()
        except UnicodeEncodeError:
            return Reject("broken characters")
        duplicate = self._duplicate(key, own_id)
        if duplicate:
            return duplicate
        if name and user not in self.names:
            self.names[user] = _identifier(name)[:LONGEST_NAME]
        return (_identifier(own_id) if own_id else key.hex(), user, item, rating, seconds, text)  # type: ignore[return-value]

    def _duplicate(self, key: bytes, own_id: Any) -> Reject | None:
        if own_id:
            name = _identifier(own_id)
            if not name or len(name) > LONGEST_ID:
                return Reject("unreadable review id")
            if name in self._ids:
                return Reject("duplicate review id", name)
            self._ids.add(name)
        if key in self._seen:
            return Reject("duplicate review", "same user, item, date and text")
        self._seen.add(key)
        return None

    def _rating(self, rating: Any) -> float | Reject:
        if type(rating) is bool:
            return 5.0 if rating else 1.0
        try:
            value = float(rating)
        except (TypeError, ValueError, ArithmeticError):
            return Reject("unreadable rating", _said(rating))
        if not self.low <= value <= self.high:  # also refuses what is not a number
            return Reject("impossible rating", f"{rating} is outside {self.low:g} to {self.high:g}")
        return value if self.stretch is None else 1.0 + (value - self.low) * self.stretch


def _identifier(value: Any) -> str:
    """An id that may be no text: a number is one, a list or a truth value is not."""
    if value is None or type(value) in (bool, dict, list, bytes) or (type(value) is float and math.isnan(value)):
        return ""
    return str(value)


def _said(value: Any) -> str:
    """The value for the log; of what holds other things only what it is: it may be nested deeper than Python can say."""
    return type(value).__name__ if isinstance(value, dict | list) else repr(value)


def seconds_since_1970(time: Any) -> int | Reject:
    """Understands seconds and milliseconds since 1970, ISO dates, and date objects; no zone means UTC."""
    moment = time
    if type(moment) is str:
        moment = moment.strip()
        try:
            if moment.isdecimal():
                moment = int(moment)
            elif moment.replace(".", "", 1).lstrip("-").isdecimal():
                moment = float(moment)
            else:
                moment = datetime.fromisoformat(moment)
        except ValueError:
            return Reject("unreadable date" if moment else "no date", moment)
    if moment is None or moment != moment:
        return Reject("no date")
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if isinstance(moment, datetime):
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if type(moment) not in (int, float):
        return Reject("unreadable date", _said(time))
    if abs(moment) > 1e11:
        moment //= 1000  # of whole numbers, too, that no float can hold
    if not EARLIEST <= moment < LATEST:
        return Reject("impossible date", str(time)[:LONGEST_ID])
    return int(moment)
