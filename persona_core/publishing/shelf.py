"""A place by its URL where editions of a workspace lie: a folder, a bucket, whatever fsspec reaches.

URL/objects/ab/ab12…                  a file's content, named after its SHA-256
URL/editions/00000017-ab12….json      one edition, named after its number and the SHA-256 of its own content
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from persona_core.errors import PersonaError, SettingsError
from persona_core.files import digest, make_durable
from persona_core.workspace import FileStamp

BLOCK: Final = 2**20
NAME: Final = re.compile(r"(\d{8})-([0-9a-f]{64})\.json")


class ShelfUnreachable(PersonaError):
    """The place that a URL names cannot be read or written now."""


class ShelfBroken(PersonaError):
    """Something that lies there is not what was published."""


@dataclass(frozen=True, slots=True, order=True)
class Label:
    """The name of an edition: its number, and the checksum of its content."""

    number: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.number:08d}-{self.sha256}.json"


@dataclass(frozen=True, slots=True)
class Shelf:
    url: str
    fs: Any
    root: str

    @classmethod
    def at(cls, url: str) -> Self:
        """Raises SettingsError where the URL is none, or what reaches it is not installed."""
        from fsspec.core import url_to_fs

        said = f"{url!r} is no place to publish to or to fetch from."
        if _has_password(url):
            raise SettingsError(said.replace(url, _without_password(url)), why="It holds a password, which would be written down.",
                                mend="leave it out; give it to fsspec by its environment or its configuration file")  # fmt: skip
        try:
            fs, root = url_to_fs(url)
        except ImportError as error:
            raise SettingsError(said, why=f"{error}.", mend="pip install the package that it names") from error
        except (ValueError, TypeError) as error:
            raise SettingsError(
                said, why=f"{error}.", mend="name a folder or a URL, such as file:///srv/shared or s3://bucket/folder"
            ) from error
        return cls(url, fs, root.rstrip("/"))

    # Editions --------------------------------------------------------------------------------------------------------

    def labels(self) -> list[Label]:
        """Of all editions, whole or not, the newest first."""
        with self._reached():
            self.fs.invalidate_cache()
            names = self.fs.ls(self._path("editions"), detail=False) if self.fs.exists(self._path("editions")) else []
        found = [NAME.fullmatch(str(name).rstrip("/").rpartition("/")[2]) for name in names]
        return sorted((Label(int(one[1]), one[2]) for one in found if one), reverse=True)

    def edition(self, label: Label) -> bytes | None:
        """Its content; None where it is not whole, as one whose sender was killed is not."""
        with self._reached():
            content: bytes = self.fs.cat_file(self._path("editions", str(label)))
        return content if digest(content) == label.sha256 else None

    def add_edition(self, number: int, content: bytes) -> Label:
        """From now on it is the one that holds; everything that it names must lie here by then."""
        label = Label(number, digest(content))
        with self._reached():
            self.fs.makedirs(self._path("editions"), exist_ok=True)
            self.fs.pipe_file(self._path("editions", str(label)), content)
            self._keep("editions", str(label))
        return label

    # Files -----------------------------------------------------------------------------------------------------------

    def has(self, stamp: FileStamp) -> bool:
        """Whether a content lies there whole; one that was cut off has fewer bytes."""
        with self._reached():
            try:
                return bool(self.fs.info(self._object(stamp.sha256))["size"] == stamp.bytes)
            except FileNotFoundError:
                return False

    def send(self, file: Path, stamp: FileStamp) -> None:
        with self._reached():
            self.fs.makedirs(self._path("objects", stamp.sha256[:2]), exist_ok=True)
            self.fs.put_file(str(file), self._object(stamp.sha256))
            self._keep("objects", stamp.sha256[:2], stamp.sha256)

    def bring(self, stamp: FileStamp, to: Path) -> None:
        """Writes a content to `to`. Raises ShelfBroken where it is not the one that was published."""
        read, seen = hashlib.sha256(), 0
        with self._reached(), to.open("wb") as file:
            try:
                with self.fs.open(self._object(stamp.sha256), "rb") as there:
                    while block := there.read(BLOCK):
                        read.update(block)
                        seen += len(block)
                        file.write(block)
            except FileNotFoundError:
                raise self._broken(stamp, "It is gone.") from None
        if read.hexdigest() != stamp.sha256:
            to.unlink()
            raise self._broken(stamp, f"It has {seen:,} bytes of {stamp.bytes:,}, and its checksum differs.")

    def thin_out(self, keep: int, named: Set[str]) -> int:
        """Takes away all but the newest editions, then every content that is not `named`; gives back how many contents went."""
        with self._reached():
            for label in self.labels()[keep:]:
                self.fs.rm_file(self._path("editions", str(label)))
            files = [str(name) for name in self.fs.find(self._path("objects"))]
            gone = [name for name in files if name.rpartition("/")[2] not in named]
            for name in gone:
                self.fs.rm_file(name)
        return len(gone)

    # Within ----------------------------------------------------------------------------------------------------------

    def _path(self, *parts: str) -> str:
        return "/".join((self.root, *parts))

    def _object(self, sha256: str) -> str:
        return self._path("objects", sha256[:2], sha256)

    def _keep(self, *parts: str) -> None:
        """On a disk of ours, a power cut must not leave an edition without its files."""
        from fsspec.implementations.local import LocalFileSystem

        if isinstance(self.fs, LocalFileSystem):
            file = Path(self._path(*parts))
            for one in (file, file.parent, file.parent.parent):
                make_durable(one)

    def _broken(self, stamp: FileStamp, why: str) -> ShelfBroken:
        place = f"{self.url.rstrip('/')}/objects/{stamp.sha256[:2]}/{stamp.sha256}"
        return ShelfBroken(f"What was published at {self.url} is not whole.", why=f"{place}: {why}",
                           mend=f"remove {place} and publish again; meanwhile what was fetched before holds")  # fmt: skip

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Whatever the many backends of fsspec throw leaves as one error."""
        try:
            yield
        except PersonaError:
            raise
        except Exception as error:
            raise ShelfUnreachable(
                f"{self.url} cannot be reached now.",
                why=f"{type(error).__name__}: {error}",
                mend="look at the address, the right to write there and the network; then run the same command again",
            ) from error


def _has_password(url: str) -> bool:
    try:
        return any(urlsplit(part).password for part in url.split("::"))
    except ValueError:
        return False


def _without_password(url: str) -> str:
    return re.sub(r"(?<=://)([^/@:]*):[^/@]*@", r"\1:…@", url)
