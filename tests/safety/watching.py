"""Whether something reaches beyond its folder: every file that Python opens to write, makes, moves or removes is looked at."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PATHS = {"os.mkdir": (0,), "os.rename": (0, 1), "os.remove": (0,), "os.rmdir": (0,), "os.symlink": (0, 1), "os.link": (0, 1),
          "os.chmod": (0,), "os.truncate": (0,), "shutil.copyfile": (1,), "shutil.rmtree": (0,), "sqlite3.connect": (0,)}  # fmt: skip
_NEVER = ("pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect", "marshal.loads")
"""Nothing that reads a stranger's file runs a program, builds objects from it, or speaks to anybody."""


class _Watch:
    folder: Path | None = None
    thread = 0
    strays: list[str] = []  # noqa: RUF012 - one hook, which can never be taken away again, and one list that it fills


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _Watch.folder is None or threading.get_ident() != _Watch.thread:
        return
    if event in _NEVER:
        if not _imports():
            _Watch.strays.append(f"{event} {args[:1]!r:.100}")
        return
    places: tuple[Any, ...] = ()
    if event == "open":
        path, mode, flags = args
        if (isinstance(mode, str) and set(mode) & set("wax+")) or (not mode and isinstance(flags, int) and flags & _WRITES):
            places = (path,)
    elif event in _PATHS:
        places = tuple(_whole(event, args, at) for at in _PATHS[event])
    for place in places:
        if isinstance(place, str | bytes | os.PathLike) and not _within(os.fsdecode(place)):
            _Watch.strays.append(f"{event} {os.fsdecode(place)}")


def _whole(event: str, args: tuple[Any, ...], at: int) -> Any:
    """The path; what is named within a folder that is open, as `shutil.rmtree` does, by that folder too."""
    place = args[at]
    if event in ("os.remove", "os.rmdir") and args[1] >= 0:
        return os.path.join(os.readlink(f"/proc/self/fd/{args[1]}"), os.fsdecode(place))
    return place


def _imports() -> bool:
    """Whether Python is reading a module of its own just now."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _within(place: str) -> bool:
    if place in (":memory:", os.devnull) or "__pycache__" in place:
        return True
    assert _Watch.folder is not None
    return Path(os.path.realpath(place)).is_relative_to(_Watch.folder)


sys.addaudithook(_hook)


@contextmanager
def only_within(folder: Path) -> Iterator[list[str]]:
    """What this thread did beyond the folder, once it is over."""
    strays: list[str] = []
    _Watch.strays = strays
    _Watch.folder, _Watch.thread = folder.resolve(), threading.get_ident()
    try:
        yield strays
    finally:
        _Watch.folder = None
