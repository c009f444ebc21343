"""`python -m demo_world.ship --workspace FOLDER`: what was trained on the demo world there ships with it from now on.

What its sentences were read to say and the alignment's head, so that the first build need not wait for them; what the trend model
said, where one was trained; what ways to see people were worth (`profiles judge`), and how newcomers to a scenario were served
(`scenarios --judge`), where that was judged. Build with `PERSONA_SHIPPED=false`, or what shipped before is what is found.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from persona_core.alignment.head import FILE
from persona_core.alignment.steps import CURVE
from persona_core.catalog.store import Catalog
from persona_core.evaluation.newcomers import FILE as NEWCOMERS
from persona_core.evaluation.newcomers import SHIPPED as SERVED
from persona_core.files import write_json
from persona_core.personas.aspects import ASPECTS
from persona_core.personas.files import VECTORS
from persona_core.personas.steps import readings_mark
from persona_core.profiles.ways.now import ship_standings
from persona_core.shipped import CARD, MARK, shipped_of
from persona_core.trends.files import MODEL_FOLDER, TOLD
from persona_core.trends.steps import SHIPPED as TRENDS
from persona_core.workspace import Workspace


def ship(workspace: Workspace) -> list[Path]:
    """The files as they ship now."""
    made = {step: workspace.artefact(step).manifest.counts for step in ("aspects", "alignment")}
    if any("note" in counts for counts in made.values()) or made["aspects"]["by"] != "extraction":
        raise SystemExit("This was not made here, or by a model. Build with PERSONA_SHIPPED=false and PERSONA_OLLAMA_USE=never.")
    pairs = [*_of(workspace, "alignment", FILE, CARD, CURVE), *_of(workspace, "aspects", ASPECTS, VECTORS)]
    reviews = Catalog.of(workspace.artefact("catalog")).texts()
    write_json(shipped_of("aspects") / CARD, {"counts": made["aspects"], MARK: readings_mark(reviews)})
    told = workspace.root / MODEL_FOLDER / TOLD
    if told.exists():
        pairs.append((told, TRENDS))
    tested = workspace.root / NEWCOMERS
    if tested.exists():
        pairs.append((tested, SERVED))
    judged = ship_standings(workspace)
    return [*(Path(shutil.copyfile(source, target)) for source, target in pairs), *([judged] if judged else [])]


def _of(workspace: Workspace, step: str, *names: str) -> list[tuple[Path, Path]]:
    """From where each file of a step is copied, and to where."""
    shipped_of(step).mkdir(parents=True, exist_ok=True)
    return [(workspace.artefact(step).file(name), shipped_of(step) / name) for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo_world.ship", description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    for path in ship(Workspace.at(parser.parse_args().workspace)):
        print(f"ships: {path}")


if __name__ == "__main__":
    main()
