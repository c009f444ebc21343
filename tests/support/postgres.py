"""A PostgreSQL server of the machine's own binaries, on the loopback, for as long as a test needs it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_DATA: dict[str, tuple[Path, dict[str, Any]]] = {}
PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def why_not() -> str:
    """Why there can be none here; empty where there can."""
    if not program("initdb"):
        return "there are no PostgreSQL programs here"
    if os.geteuid() == 0 and not _other():
        return "PostgreSQL does not run as root, and there is no user of its own"
    return ""


@contextmanager
def postgres() -> Iterator[str]:
    """Its address, as SQLAlchemy takes it."""
    folder, as_whom = a_place()
    data, port = folder / "data", _free_port()
    _DATA[f"127.0.0.1:{port}"] = (data, as_whom)
    quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **as_whom}
    subprocess.run([program("initdb"), "-D", data, "-A", "trust", "-U", "study", "-N", "-E", "UTF8"], **quiet)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    subprocess.run([program("pg_ctl"), "-D", data, "-l", folder / "log", "-o", options, "-w", "start"], **quiet)
    try:
        yield f"postgresql+psycopg://study@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([program("pg_ctl"), "-D", data, "-m", "immediate", "stop"], **{**quiet, "check": False})
        shutil.rmtree(folder, ignore_errors=True)


def a_place() -> tuple[Path, dict[str, Any]]:
    """A new folder that the server may use, and as whom its programs are to be run, in the words of `subprocess`."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if os.geteuid() != 0:
        return folder, {}
    own = _other()
    assert own is not None
    os.chown(folder, own.pw_uid, own.pw_gid)
    return folder, {"user": own.pw_uid, "group": own.pw_gid, "extra_groups": []}


def restart(url: str) -> None:
    """Stops the server of this address at once, as by a power cut, and starts it again."""
    data, whom = _DATA[url.partition("@")[2].partition("/")[0]]
    said = (program("pg_ctl"), "-D", data, "-l", data.parent / "log", "-m", "immediate", "restart", "-w")
    subprocess.run(said, check=True, stdout=subprocess.DEVNULL, cwd=data.parent, **whom)


def program(name: str) -> str:
    here = next((str(place / name) for place in PLACES if (place / name).exists()), None)
    return here or shutil.which(name) or ""


def _other() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
