"""The project's own command line with three toy steps: a process that starts quickly and waits where a test tells it to.

A file `hold` in the workspace keeps the second step at work until it is gone; `fail` and `die` end it in their ways.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from persona_core import steps
from persona_core.cli import main
from persona_core.errors import ModelUnavailable
from persona_core.pipeline import Counts, Step, StepContext

TOY = (sys.executable, "-m", "tests.support.toy_cli")
"""What starts it."""


def _first(context: StepContext) -> Counts:
    context.file("a.txt").write_text("a")
    return {"things": 1}


def _second(context: StepContext) -> Counts:
    root = context.workspace.root
    if (root / "fail").exists():
        raise ModelUnavailable("The model went away.", why="It <b>did</b>.", mend="ollama serve")
    if (root / "die").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    if (root / "deaf").exists():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    done = 0
    while (root / "hold").exists():
        done = min(done + 1, 99)
        context.progress(done, 100, "things")
        time.sleep(0.02)
    context.file("b.txt").write_text("b")
    return {"things": 2}


def _step(name: str, title: str, reads: tuple[str, ...], file: str, run: object) -> Step:
    return Step(name=name, title=title, reads=reads, writes=(file,), run=run, code=("tests.support.toy_cli",))  # type: ignore[arg-type]


STEPS = (
    _step("catalog", "Reading", (), "a.txt", _first),
    _step("overview", "Looking", ("catalog",), "b.txt", _second),
)

if __name__ == "__main__":
    steps.STEPS = STEPS
    main()
