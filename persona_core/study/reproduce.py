"""Works out every difference of a study anew from its tables, and says where that is not what was reported.

It stands alone with pandas, scipy and statsmodels: in an exported bundle it lies as analyse.py, with contrasts.py beside it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

try:
    from contrasts import contrast, false_discovery, holm  # type: ignore[import-not-found]
except ImportError:
    from persona_core.study.contrasts import contrast, false_discovery, holm

CLOSE = 1e-5


def main(folder: Path) -> int:
    units = pd.read_csv(folder / "tables" / "units.csv", dtype={"participant": str})
    units = units[units["kept"].astype(str) == "True"]
    told = json.loads((folder / "results.json").read_text("utf-8"))
    rows, differing = [], 0
    for planned in (True, False):
        findings = [one for one in told["findings"] if one["planned"] is planned]
        found = [_again(units, one["contrast"], told["within"], told["factors"]) for one in findings]
        corrected = (holm if planned else false_discovery)([one.p for one in found])
        for reported, one, p in zip(findings, found, corrected, strict=True):
            same = all(_near(a, b) for a, b in (
                (one.p, reported["contrast"]["p"]), (one.difference, reported["contrast"]["difference"]), (p, reported["p_corrected"]),
            ))  # fmt: skip
            differing += not same
            rows.append({"planned": planned, "outcome": one.outcome, "level": one.level, "against": one.against,
                         "difference": round(one.difference, 3), "g": round(one.effect, 2), "test": one.test, "p": round(one.p, 4),
                         "p corrected": round(p, 4), "as reported": same})  # fmt: skip
    print(pd.DataFrame(rows).to_string(index=False) if rows else "Nobody has come through yet.")
    print(f"{len(rows) - differing} of {len(rows)} differences are as reported.")
    return 1 if differing else 0


def _again(units: pd.DataFrame, one: dict[str, Any], within: bool, factors: list[str]) -> Any:
    others = [name for name in factors if name != one["factor"]]
    return contrast(units, one["outcome"], one["factor"], one["level"], one["against"], within=within, direction=one["direction"],
                    others=others)  # fmt: skip


def _near(one: float, other: float | None) -> bool:
    return other is not None and abs(one - other) <= CLOSE * max(1.0, abs(other))


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent))
