"""Reading the truth of a world that has none says how to get one."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_core.errors import SourceError
from persona_core.evaluation.truth import Truth


def test_a_world_without_truth_is_an_error_that_helps(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no truth\.jsonl") as caught:
        Truth.read(tmp_path)
    assert caught.value.mend == "python -m demo_world"
