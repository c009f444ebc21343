"""What a bundle from elsewhere holds, judged before a line is kept: its size, its form, and whether it could have happened."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from persona_core.catalog.parquet import measured, opened_table, rows_of
from persona_core.errors import PersonaError, SourceError
from persona_core.study.design import Study
from persona_core.study.layout import LONGEST_KEY
from persona_core.study.sitting import ANSWERED, DONE, faults_of
from persona_core.study.store import LONGEST_PAYLOAD, Event, Participant
from persona_core.study.tables import tables_from

LARGEST: Final = 500 * 2**20
"""Bytes, packed and unpacked: ten thousand participants with a hundred events each need less."""
MOST_ROWS: Final = 1_000_000
LONGEST_LIST: Final = 64 * 1024
"""Bytes of the archive's list of names. Ours name some forty files; a list that fills an archive would fill memory, too."""
DESIGN, FILE = "study.json", "study.toml"
PEOPLE, EVENTS = "tables/participants.parquet", "tables/events.parquet"
WANTED: Final = (DESIGN, FILE, PEOPLE, EVENTS)
"""Nothing else is looked at, and nothing is ever written under a name that stands in the archive."""
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
_PIECE: Final = 2**20


class BundleRefused(PersonaError):
    """A file that is no study's bundle."""


def _plausible(moment: datetime) -> datetime:
    if not datetime(2000, 1, 1, tzinfo=UTC) <= moment < datetime(2200, 1, 1, tzinfo=UTC):
        raise ValueError("no study was run then")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
Who = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Number = Annotated[int, Field(ge=0, lt=2**31)]


class _Person(BaseModel):
    participant: Who
    number: Number
    arrived: Moment
    left: Moment | Annotated[str, StringConstraints(max_length=0)]
    origin: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,20}$")]


class _Happened(BaseModel):
    participant: Who
    seq: Number
    key: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_KEY)]
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,40}$")]
    utc: Moment
    monotonic_ns: Annotated[int, Field(ge=0, lt=2**63)]
    payload: Annotated[str, StringConstraints(max_length=LONGEST_PAYLOAD)]


_PEOPLE, _HAPPENED = TypeAdapter(list[_Person]), TypeAdapter(list[_Happened])


def unpacked(content: bytes) -> dict[str, bytes]:
    """The four files that matter. Raises BundleRefused."""
    _check_list(content)
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            named = {one.filename.partition("/")[2]: one for one in packed.infolist()}
            for name in WANTED:
                found[name] = _read(packed, named[name], LARGEST - sum(map(len, found.values())))
    except (zipfile.BadZipFile, zlib.error, LookupError, ValueError, OSError, EOFError, RuntimeError, OverflowError) as error:
        raise refused(str(error)) from error
    return found


def _check_list(content: bytes) -> None:
    """An archive as ours are: it ends with its list, which is short and of the plain kind; and that before anybody reads the list."""
    if len(content) > LARGEST:
        raise BundleRefused("This bundle is larger than any that could be taken over.", why=f"At most {LARGEST:,} bytes are.")
    if content[-22:-18] != _END or content[-42:-38] == _END_64:
        raise refused("It does not end as an archive that was exported here does.")
    if int.from_bytes(content[-10:-6], "little") > LONGEST_LIST:
        raise refused("It names too many files.")


def _read(packed: zipfile.ZipFile, one: zipfile.ZipInfo, room: int) -> bytes:
    """Piece by piece: what an archive says of a file's size may be a lie, and a few bytes may unpack to any number of them."""
    if one.flag_bits & 1 or one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{one.filename} is packed in another way")
    pieces: list[bytes] = []
    with packed.open(one) as file:
        while piece := file.read(_PIECE):
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                raise ValueError(f"it unpacks to more than {LARGEST:,} bytes")
    return b"".join(pieces)


def refused(why: str) -> BundleRefused:
    return BundleRefused("This is no bundle of a study.", why=why[:300], mend="export it anew, and bring that file")


# The people --------------------------------------------------------------------------------------------------------------


def people_in(study: Study, files: Mapping[str, bytes]) -> list[tuple[Participant, list[Event]]]:
    """Everybody with what they did, none of which could not have happened in this study. Raises BundleRefused."""
    try:
        people = _PEOPLE.validate_python(_rows(files[PEOPLE], PEOPLE, _Person))
        happened: dict[str, list[Event]] = {}
        for one in _HAPPENED.validate_python(_rows(files[EVENTS], EVENTS, _Happened)):
            event = Event(one.seq, one.key, one.kind, one.utc, one.monotonic_ns, orjson.loads(one.payload))
            happened.setdefault(one.participant, []).append(event)
        found = [(_participant(study, one), happened.get(one.participant, [])) for one in people]
        _check(study, found, set(happened))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise refused(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except SourceError as error:
        raise refused(error.why or error.what) from error
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise refused(f"Something in it cannot have happened in this study: {error!r:.200}") from error
    return found


def _rows(content: bytes, name: str, form: type[BaseModel]) -> list[dict[str, Any]]:
    rows, size = measured(io.BytesIO(content), name, MOST_ROWS, LARGEST)
    if rows > MOST_ROWS or size > LARGEST:
        raise ValueError(f"{name} holds more than could be taken over")
    columns, found = list(form.model_fields), []
    for batch in rows_of(opened_table(io.BytesIO(content), name), columns, name):
        found += [dict(zip(columns, row, strict=True)) for row in zip(*batch, strict=True)]
    return found


def _participant(study: Study, one: _Person) -> Participant:
    left = one.left if isinstance(one.left, datetime) else None
    return Participant(one.participant, study.id, study.content, one.number, one.arrived, left, one.origin)


def _check(study: Study, people: Sequence[tuple[Participant, list[Event]]], doers: set[str]) -> None:
    """Raises ValueError, or whatever else follows from what is not so."""
    if len({one.id for one, _ in people}) < len(people) or len({one.number for one, _ in people}) < len(people):
        raise ValueError("two participants are one")
    if doers - {one.id for one, _ in people}:
        raise ValueError("somebody did something who never came")
    steps = {step.id: step for step in study.path}
    for _, events in people:
        if len({one.seq for one in events}) < len(events) or len({one.key for one in events}) < len(events):
            raise ValueError("two events are one")
        for one in events:
            _check_event(study, one, steps)
    tables_from(study, people)


def _check_event(study: Study, event: Event, steps: Mapping[str, Any]) -> None:
    told = event.payload
    if not isinstance(told, dict):
        raise ValueError("an event says nothing")
    if event.kind == ANSWERED and not (isinstance(told["step"], str) and isinstance(told["question"], str)):
        raise ValueError("an answer is to no question")
    if event.kind == DONE:
        if not isinstance(told["answers"], dict):
            raise ValueError("a page ends without answers")
        faults = faults_of(study, steps[told["step"]], told["answers"]) if told["step"] in steps else []
        if faults:
            raise ValueError(f"{told['step']}: {faults[0]}")
