"""Small steps for testing the build itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from persona_core.pipeline import Counts, Pipeline, Step, StepContext
from persona_core.workspace import Workspace


def writing(text: str = "hello") -> Callable[[StepContext], Counts]:
    def run(context: StepContext) -> Counts:
        inherited = "".join(context.inputs[name].file("out.txt").read_text() for name in sorted(context.inputs))
        context.file("out.txt").write_text(f"{inherited}{text}")
        return {"letters": len(text)}

    return run


def step(name: str, reads: tuple[str, ...] = (), **changes: Any) -> Step:
    given: dict[str, Any] = {
        "name": name, "title": f"Making {name}", "reads": reads, "writes": ("out.txt",), "run": writing(name),
        "code": ("tests.support.steps",),
    }  # fmt: skip
    return Step(**(given | changes))


def two_steps(place: Workspace, **second: Any) -> Pipeline:
    return Pipeline([step("one"), step("two", ("one",), **second)], place)


def states(pipeline: Pipeline) -> list[str]:
    return [one.state for one in pipeline.status()]


def held_still(step: Step) -> Step:
    """The step, holding to what it was built from, whether or not there is a model now."""

    def sources(place: Workspace) -> dict[str, str]:
        because = place.artefact(step.name).manifest.because
        return {name.removeprefix("file "): value for name, value in because.items() if name.startswith("file ")}

    return replace(step, sources=sources)
