"""Where a study's participants and events are kept: SQLite beside the workspace, or PostgreSQL by its address; one store for both.

Events are only ever added, each in a transaction of its own that ends before the answer does. An event has a key that its page
chose: sent twice it is kept once. Nothing says who somebody is: a participant is a random number, of the token only a digest is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Engine, create_engine, delete, event, func, insert, or_, select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from persona_core.errors import PersonaError
from persona_core.study.layout import LONGEST_KEY, StoreUnavailable, bring_up_to_date
from persona_core.study.layout import about as _about
from persona_core.study.layout import events as _events
from persona_core.study.layout import participants as _participants

__all__ = ["LONGEST_KEY", "LONGEST_PAYLOAD", "Event", "Participant", "StoreUnavailable", "StudyFull", "StudyStore"]
LONGEST_PAYLOAD: Final = 256 * 1024
BUSY_MS: Final = 15_000
STILL_HERE_S: Final = 3 * 3600
"""Who did something within so long still counts as somebody who will finish."""
ENDED: Final = "done debrief"
"""The key of the event with which somebody has finished."""
LOCK: Final = 727_100
"""By which PostgreSQL knows that it is us who wait for each other."""


class StudyFull(PersonaError):
    """As many have taken part as the study asks for."""


@dataclass(frozen=True, slots=True)
class Participant:
    id: str
    study: str
    content: str
    """The digest of the design that they came to."""
    number: int
    """How many came before them."""
    created: datetime
    withdrawn: datetime | None = None
    origin: str = "link"


@dataclass(frozen=True, slots=True)
class Event:
    seq: int
    key: str
    kind: str
    utc: datetime
    monotonic_ns: int
    payload: Mapping[str, Any]


class StudyStore:
    """Threads and processes may share it."""

    def __init__(self, url: str) -> None:
        """Raises StoreUnavailable."""
        self.url = url
        self._engine = _opened(url)
        with self._transaction(numbers=True) as connection:
            bring_up_to_date(connection)

    def close(self) -> None:
        self._engine.dispose()

    # Participants --------------------------------------------------------------------------------------------------------

    def enrol(
        self, study: str, content: str, quota: int | None = None, source: str | None = None, origin: str = "link"
    ) -> tuple[Participant, str]:
        """A new participant and their token. Raises StudyFull.

        Who comes from the same source again is the same participant with the same token; nobody else's token is said twice.
        """
        mark = None if source is None else _digest(f"{study}\n{source}")
        with self._transaction(numbers=True) as connection:
            token = secrets.token_urlsafe(24) if mark is None else _signed(connection, mark)
            known = _row(connection, _participants.c.token == _digest(token)) if mark else None
            if known is not None:
                return known, token
            if quota is not None and _counting(connection, study) >= quota:
                raise StudyFull("This study has all the participants that it needs.", why=f"It needs {quota}.")
            number = connection.scalar(select(func.count()).select_from(_participants).where(_participants.c.study == study)) or 0
            made = Participant(secrets.token_hex(16), study, content, number, _moment(time.time()), None, origin)
            row = {"id": made.id, "study": study, "content": content, "number": number, "token": _digest(token), "source": mark,
                   "created": made.created.timestamp(), "origin": origin}  # fmt: skip
            connection.execute(insert(_participants).values(row))
        return made, token

    def signature(self, text: str) -> str:
        """What only this database can say of a text: by it an invitation is known to be ours."""
        with self._transaction(writes=False) as connection:
            return _signed(connection, text)

    def restore(self, participant: Participant, events: Sequence[Event]) -> None:
        """Takes over somebody from another database, as they were there; who is here already is left as they are."""
        row = {"id": participant.id, "study": participant.study, "content": participant.content, "number": participant.number,
               "token": _digest(secrets.token_hex(32)), "source": None, "created": participant.created.timestamp(),
               "withdrawn": participant.withdrawn and participant.withdrawn.timestamp(), "origin": participant.origin}  # fmt: skip
        rows = [{"participant": participant.id, "seq": one.seq, "key": one.key, "kind": one.kind, "utc": one.utc.timestamp(),
                 "monotonic_ns": one.monotonic_ns, "payload": orjson.dumps(one.payload)} for one in events]  # fmt: skip
        with self._transaction(numbers=True) as connection:
            if _row(connection, _participants.c.id == participant.id) is None:
                connection.execute(insert(_participants).values(row))
                if rows:
                    connection.execute(insert(_events), rows)

    def forget(self, study: str, before: datetime) -> int:
        """Withdraws everybody who came before that moment; gives back how many."""
        found = [one for one in self.participants(study) if one.withdrawn is None and one.created < before]
        for one in found:
            self.withdraw(one)
        return len(found)

    def participant(self, token: str) -> Participant | None:
        """Whose token this is; nobody's where it is not known. Looked for by its digest, so that no time tells how near a guess is."""
        with self._transaction(writes=False) as connection:
            return _row(connection, _participants.c.token == _digest(token[:200]))

    def participants(self, study: str) -> list[Participant]:
        """In the order in which they came."""
        with self._transaction(writes=False) as connection:
            rows = connection.execute(select(_participants).where(_participants.c.study == study).order_by(_participants.c.number))
            return [_as_participant(row) for row in rows.mappings()]

    def withdraw(self, participant: Participant) -> None:
        """Deletes all that they did and said. That somebody was there as this number stays, and when they left."""
        with self._transaction() as connection:
            connection.execute(delete(_events).where(_events.c.participant == participant.id))
            gone = update(_participants).where(_participants.c.id == participant.id, _participants.c.withdrawn.is_(None))
            connection.execute(gone.values(withdrawn=time.time(), source=None))

    # Events --------------------------------------------------------------------------------------------------------------

    def append(self, participant: Participant, kind: str, payload: Mapping[str, Any], key: str) -> int:
        """Keeps an event and gives its number, from 0 on; what has this key already is not kept again. Raises StoreUnavailable."""
        written = orjson.dumps(payload)
        if len(written) > LONGEST_PAYLOAD or not 0 < len(key) <= LONGEST_KEY:
            raise ValueError(f"an event has at most {LONGEST_PAYLOAD} bytes and a key of 1 to {LONGEST_KEY} letters")
        with self._transaction() as connection:
            held = _row(connection, _participants.c.id == participant.id, lock=self._locks)
            if held is None or held.withdrawn is not None:
                raise ValueError("who has left does nothing any more")
            own = _events.c.participant == participant.id
            known = connection.scalar(select(_events.c.seq).where(own, _events.c.key == key))
            if known is not None:
                return int(known)
            last = connection.scalar(select(func.max(_events.c.seq)).where(own))
            seq = 0 if last is None else int(last) + 1
            row = {"participant": participant.id, "seq": seq, "key": key, "kind": kind, "utc": time.time(),
                   "monotonic_ns": time.monotonic_ns(), "payload": written}  # fmt: skip
            connection.execute(insert(_events).values(row))
        return seq

    def events(self, participant: Participant) -> list[Event]:
        with self._transaction(writes=False) as connection:
            rows = connection.execute(select(_events).where(_events.c.participant == participant.id).order_by(_events.c.seq))
            return [_as_event(row) for row in rows.mappings()]

    def count(self, study: str) -> int:
        """How many events are kept of all its participants."""
        with self._transaction(writes=False) as connection:
            joined = _events.join(_participants, _events.c.participant == _participants.c.id)
            return connection.scalar(select(func.count()).select_from(joined).where(_participants.c.study == study)) or 0

    # Within --------------------------------------------------------------------------------------------------------------

    @property
    def _locks(self) -> bool:
        """SQLite lets one write at a time and needs no locks of rows."""
        return self._engine.dialect.name != "sqlite"

    @contextmanager
    def _transaction(self, *, writes: bool = True, numbers: bool = False) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                if not self._locks:
                    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
                elif numbers:  # they are given one after the other
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
                with _ending(connection):
                    yield connection
        except (DBAPIError, SQLAlchemyError) as error:
            why = str(getattr(error, "orig", None) or error).strip()
            mend = "look at the disk and the database; what a participant sends again is then kept"
            raise StoreUnavailable("The study's database cannot be used now.", why=why, mend=mend) from error


@contextmanager
def _ending(connection: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _opened(url: str) -> Engine:
    try:
        words = {"client_encoding": "utf8"} if url.startswith("postgresql") else {}  # else a database in SQL_ASCII gives bytes
        engine = create_engine(url, pool_pre_ping=True, connect_args=words)
    except (SQLAlchemyError, ImportError) as error:
        mend = "sqlite:///FILE, or postgresql+psycopg://USER@HOST/NAME with pip install 'psycopg[binary]'"
        raise StoreUnavailable(f"{url!r} is no address of a database.", why=str(error), mend=mend) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _as_we_like_it)
    return engine


def _as_we_like_it(connection: Any, _: Any) -> None:
    """SQLite: readers beside one writer, nothing acknowledged before it is on the disk, and transactions where we begin them."""
    connection.isolation_level = None
    for line in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_MS}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {line}")


def _signed(connection: Connection, text: str) -> str:
    secret = str(connection.scalar(select(_about.c.value).where(_about.c.name == "secret")))
    return hmac.new(secret.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:40]


def _counting(connection: Connection, study: str) -> int:
    """How many have finished, or may yet."""
    own = select(func.max(_events.c.utc)).where(_events.c.participant == _participants.c.id).scalar_subquery()
    ended = select(_events.c.seq).where(_events.c.participant == _participants.c.id, _events.c.key == ENDED).exists()
    here = or_(ended, func.coalesce(own, _participants.c.created) > time.time() - STILL_HERE_S)
    asked = select(func.count()).select_from(_participants)
    return connection.scalar(asked.where(_participants.c.study == study, _participants.c.withdrawn.is_(None), here)) or 0


def _row(connection: Connection, *where: Any, lock: bool = False) -> Participant | None:
    asked = select(_participants).where(*where)
    row = connection.execute(asked.with_for_update() if lock else asked).mappings().first()
    return None if row is None else _as_participant(row)


def _as_participant(row: Any) -> Participant:
    gone = None if row["withdrawn"] is None else _moment(row["withdrawn"])
    return Participant(row["id"], row["study"], row["content"], row["number"], _moment(row["created"]), gone, row["origin"])


def _as_event(row: Any) -> Event:
    return Event(row["seq"], row["key"], row["kind"], _moment(row["utc"]), row["monotonic_ns"], orjson.loads(row["payload"]))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
