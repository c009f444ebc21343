"""One made shop and its engine, which nobody changes, for what participants are shown."""

from __future__ import annotations

import pytest

from persona_core.engine import Engine
from tests.support.engines import opened
from tests.support.shops import built_shop


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return opened(built_shop(tmp_path_factory.mktemp("study")))
