"""`python -m tests.support.killer WORKSPACE STEP POINT`: builds, and dies by SIGKILL at that point of that step.

Without arguments it takes such lines from its input and lets a copy of itself, with all libraries loaded, die for each.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from persona_core.progress import Progress
from persona_core.steps import pipeline_of
from persona_core.workspace import Manifest, Workspace

POINTS = ("started", "unfinished", "unpointed")
"""Before its work, after its work but before its manifest, and after its folder is whole but before it holds."""


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(root: str, step: str, point: str) -> None:
    real_finish, real_point_to = Workspace.finish, Workspace.point_to

    def finish(self: Workspace, work: Path, manifest: Manifest) -> Any:
        return die() if (manifest.step, point) == (step, "unfinished") else real_finish(self, work, manifest)

    def point_to(self: Workspace, name: str, version: str) -> None:
        return die() if (name, point) == (step, "unpointed") else real_point_to(self, name, version)

    def listen(progress: Progress) -> None:
        if (progress.step, progress.phase) == (step, point):
            die()

    Workspace.finish, Workspace.point_to = finish, point_to  # type: ignore[method-assign]
    pipeline_of(Workspace.at(root)).build(listener=listen)


def serve() -> None:
    """Answers each line with the exit code of the copy."""
    import chromadb  # noqa: F401 - loaded once for all copies
    import sentence_transformers  # noqa: F401
    import sklearn.manifold  # noqa: F401

    for line in sys.stdin:
        copy = os.fork()
        if not copy:
            try:
                main(*json.loads(line))
            finally:
                os._exit(1)  # alive, or failed: either is none of a kill
        _, status = os.waitpid(copy, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:]) if sys.argv[1:] else serve()
