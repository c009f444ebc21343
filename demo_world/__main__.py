"""`python -m demo_world [--seed N] [--out DIR]`: writes the demo world and says what it holds."""

from __future__ import annotations

import argparse
from pathlib import Path

from demo_world.world import SEED, make_world, summary, write_world


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo_world", description="Write the demo world's files.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent / "data" / "demo")
    options = parser.parse_args()
    world = make_world(options.seed)
    write_world(world, options.out)
    for name, value in summary(world).items():
        print(f"{value:>10,}  {name}")


if __name__ == "__main__":
    main()
