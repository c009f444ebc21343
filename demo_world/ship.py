"""`python -m demo_world.ship --workspace FOLDER`: what was trained on the demo world there ships with it from now on.

The alignment's head, so that the first build need not train it; what the trend model said, where one was trained; what ways to see
people were worth (`profiles judge`), and how newcomers to a scenario were served (`scenarios --judge`), where that was judged.
Build with `PERSONA_RANKING_SHIPPED=false`, or the head that shipped before is what is found.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from persona_core.alignment.head import FILE
from persona_core.alignment.shipped import SHIPPED as HEAD
from persona_core.alignment.steps import CARD, CURVE
from persona_core.evaluation.newcomers import FILE as NEWCOMERS
from persona_core.evaluation.newcomers import SHIPPED as SERVED
from persona_core.profiles.ways.now import ship_standings
from persona_core.trends.files import MODEL_FOLDER, TOLD
from persona_core.trends.steps import SHIPPED as TRENDS
from persona_core.workspace import Workspace


def ship(workspace: Workspace) -> list[Path]:
    """The files as they ship now."""
    made = workspace.artefact("alignment")
    if "note" in made.manifest.counts:
        raise SystemExit("This head was not trained here. Build with PERSONA_RANKING_SHIPPED=false.")
    HEAD.mkdir(parents=True, exist_ok=True)
    pairs = [(made.file(name), HEAD / name) for name in (FILE, CARD, CURVE)]
    told = workspace.root / MODEL_FOLDER / TOLD
    if told.exists():
        pairs.append((told, TRENDS))
    tested = workspace.root / NEWCOMERS
    if tested.exists():
        pairs.append((tested, SERVED))
    judged = ship_standings(workspace)
    return [*(Path(shutil.copyfile(source, target)) for source, target in pairs), *([judged] if judged else [])]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo_world.ship", description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    for path in ship(Workspace.at(parser.parse_args().workspace)):
        print(f"ships: {path}")


if __name__ == "__main__":
    main()
