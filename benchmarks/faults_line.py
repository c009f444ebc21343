"""The command line, quickly: a process that has all libraries loaded runs each command in a copy of itself, which can be killed.

A command is what `python -m persona_core` does with the same words and the same environment.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess  # nosec B404 # our own words, no shell
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and all it said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


@dataclass(frozen=True, slots=True)
class Running:
    """A command under way; what it leaves lies in a folder of its own."""

    folder: Path
    pid: int

    @property
    def ended(self) -> bool:
        return (self.folder / "code").exists()

    def err(self) -> str:
        return (self.folder / "err").read_text("utf-8", "replace")

    def wait(self, seconds: float = PATIENCE_S) -> Said:
        until = time.monotonic() + seconds
        while not self.ended:
            if time.monotonic() > until:
                self.kill()
                raise TimeoutError(f"a command did not end within {seconds:g} s:\n{self.err()}")
            time.sleep(0.01)
        out = (self.folder / "out").read_text("utf-8", "replace")
        return Said(int((self.folder / "code").read_text()), out, self.err())

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        if not self.ended:
            os.kill(self.pid, number)


class Line:
    """Where commands are typed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.typed = 0
        self._process = subprocess.Popen(  # nosec B603 # our own words, no shell
            [sys.executable, "-m", "benchmarks.faults_line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(30)

    def start(self, words: list[str], environment: dict[str, str]) -> Running:
        self.typed += 1
        folder = self.home / f"{self.typed:04d}"
        folder.mkdir(parents=True)
        print(json.dumps([words, environment, str(folder)]), file=self._process.stdin, flush=True)
        return Running(folder, int(self._listen()))

    def _listen(self) -> str:
        if self._process.stdout is None or not (said := self._process.stdout.readline()):
            raise RuntimeError("the command line ended")
        return said


# The other side ----------------------------------------------------------------------------------------------------------


def serve() -> None:
    """Answers each line with the number of the copy that does what it says."""
    import chromadb  # noqa: F401 - loaded once for all copies
    import sentence_transformers  # noqa: F401
    import sklearn.manifold  # noqa: F401

    import persona_core.cli  # noqa: F401

    print("ready", flush=True)
    for line in sys.stdin:
        words, environment, folder = json.loads(line)
        read, write = os.pipe()
        if not (keeper := os.fork()):
            os._exit(_keep(words, environment, Path(folder), write))
        os.close(write)
        with os.fdopen(read) as pipe:
            print(pipe.readline().strip(), flush=True)
        _reap(keeper)


def _reap(_: int) -> None:
    """Takes leave of those that ended; the keeper of the last one may still wait."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _keep(words: list[str], environment: dict[str, str], folder: Path, write: int) -> int:
    """Starts the copy, says its number, and notes how it ended."""
    for name in ("out", "err"):
        (folder / name).touch()
    copy = os.fork()
    if not copy:
        os.close(write)
        _be(words, environment, folder)
    os.write(write, f"{copy}\n".encode())
    os.close(write)
    _, status = os.waitpid(copy, 0)
    beside = folder / "code.new"
    beside.write_text(str(os.waitstatus_to_exitcode(status)))
    beside.rename(folder / "code")
    return 0


def _be(words: list[str], environment: dict[str, str], folder: Path) -> None:
    """Is the command, and ends with it."""
    code: object = 1
    try:
        for handle, name in ((1, "out"), (2, "err")):
            file = os.open(folder / name, os.O_WRONLY | os.O_TRUNC)
            os.dup2(file, handle)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.update(environment)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = ["persona_core", *words]
        from persona_core.cli import main

        main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1 if code else 0)


if __name__ == "__main__":
    serve()
