"""One engine over the small market for all tests of explanations."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.explain.worlds import SmallEngine, market


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> SmallEngine:
    return SmallEngine(market(), Path(tmp_path_factory.mktemp("engine")))
