"""How well people are served in a scenario they are new to, and what their wishes elsewhere add to that.

All that a person did in the scenario is hidden before it is asked what they came to there next. Without --data: the demo world.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import Options, print_table, told, write_json
from benchmarks.worlds import WITH_TEXTS, parser_of, worlds
from persona_core.evaluation.newcomers import judge

PACKAGES = ("torch", "numpy", "scipy", "sentence-transformers")


def main() -> None:
    given = parser_of("newcomers", __doc__, "the same: it is small", WITH_TEXTS).parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, source in worlds(given, given.home or Path(scratch), WITH_TEXTS, ("catalog", "splits")):
            began = time.perf_counter()
            found[name] = judge(source, given.seed, told)
            one = found[name]
            print(f"\n{name}: {one['cases']} cases of {one['people']} people, weight {one['weight']:g} of {one['tuning']}; "
                  f"with it against without {one['more']}, p {one['p']}; {time.perf_counter() - began:.0f} s")  # fmt: skip
            print_table(one["rows"])
    write_json("newcomers", Options(given.quick, given.json, given.seed), PACKAGES, found)


if __name__ == "__main__":
    main()
