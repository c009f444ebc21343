"""One made shop and its engine, which nobody changes."""

from __future__ import annotations

import pytest

from persona_core.engine import Engine
from persona_core.workspace import Workspace
from tests.support.engines import opened
from tests.support.shops import (
    built_shop,
)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return built_shop(tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="session")
def engine(shop: Workspace) -> Engine:
    return opened(shop)
