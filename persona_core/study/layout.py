"""The tables of a study's database, and how an older one is brought to the form of now."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    insert,
    inspect,
    select,
    text,
    update,
)

from persona_core.errors import PersonaError

LONGEST_KEY: Final = 120
FORM: Final = 2
META = MetaData()
about = Table("about", META, Column("name", String(40), primary_key=True), Column("value", String(200), nullable=False))
participants = Table(
    "participants", META,
    Column("id", String(32), primary_key=True),
    Column("study", String(40), nullable=False),
    Column("content", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("token", String(64), nullable=False, unique=True),
    Column("source", String(64)),
    Column("created", Float, nullable=False),
    Column("withdrawn", Float),
    Column("origin", String(20), nullable=False, server_default="link"),
    UniqueConstraint("study", "number"),
    UniqueConstraint("study", "source"),
)  # fmt: skip
events = Table(
    "events", META,
    Column("participant", String(32), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("key", String(LONGEST_KEY), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("utc", Float, nullable=False),
    Column("monotonic_ns", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    UniqueConstraint("participant", "key"),
)  # fmt: skip


class StoreUnavailable(PersonaError):
    """The database does not answer, or cannot keep anything more: what was not acknowledged is not kept."""


def bring_up_to_date(connection: Connection) -> None:
    """Makes the tables, or changes older ones step by step, in the one transaction of `connection`. Raises StoreUnavailable."""
    there = inspect(connection).has_table("about")
    META.create_all(connection)
    form = int(connection.scalar(select(about.c.value).where(about.c.name == "schema")) or 0) if there else 0
    if form > FORM:
        what = f"This database was made by a later version (its form is {form}, ours {FORM})."
        raise StoreUnavailable(what, mend="open it with that version")
    if form == 0:
        connection.execute(insert(about).values(name="schema", value=str(FORM)))
    for step in range(form, FORM) if form else ():
        CHANGES[step](connection)
        connection.execute(update(about).where(about.c.name == "schema").values(value=str(step + 1)))
    if connection.scalar(select(about.c.value).where(about.c.name == "secret")) is None:
        connection.execute(insert(about).values(name="secret", value=secrets.token_hex(32)))


def _from_1(connection: Connection) -> None:
    """Where somebody came from: a link, a panel, a simulation, another machine."""
    connection.execute(text("ALTER TABLE participants ADD COLUMN origin VARCHAR(20) NOT NULL DEFAULT 'link'"))


CHANGES: Final[Mapping[int, Callable[[Connection], None]]] = {1: _from_1}
"""By the form that it starts from."""
