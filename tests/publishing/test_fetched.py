"""A workspace that was fetched: nothing is built in it, chosen for it or published from it, and fetching mends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from persona_core.catalog.choose import choose_source
from persona_core.errors import ArtefactBroken, PersonaError
from persona_core.publishing import Shelf, fetch, publish
from persona_core.workspace import Workspace
from tests.publishing.small import STEPS, build, held
from tests.support.steps import two_steps


@pytest.fixture
def fetched(workspace: Workspace, there: Workspace, local: Shelf) -> Iterator[Workspace]:
    build(workspace)
    publish(workspace, local, STEPS)
    fetch(there, local, STEPS)
    return there


def test_what_was_built_here_is_not_overwritten(fetched: Workspace, workspace: Workspace, local: Shelf) -> None:
    with pytest.raises(PersonaError, match="was built here") as refused:
        fetch(workspace, local, STEPS)
    assert "--workspace" in refused.value.mend


def test_what_was_fetched_is_neither_built_nor_published_from(fetched: Workspace, local: Shelf) -> None:
    before = fetched.settings
    for do in (
        lambda: two_steps(fetched).build(), lambda: two_steps(fetched).build("two"), lambda: publish(fetched, local, STEPS),
        lambda: choose_source(fetched, "demo"),
    ):  # fmt: skip
        with pytest.raises(PersonaError, match=r"was (itself )?fetched"):
            do()
    assert fetched.settings == before


def test_what_breaks_where_it_was_fetched_is_mended_by_fetching(fetched: Workspace, local: Shelf) -> None:
    fetched.artefact("two").file("out.txt").write_text("broken!!")
    with pytest.raises(ArtefactBroken) as broken:
        fetched.artefact("two")
    assert broken.value.mend == fetched.command("fetch")
    assert fetch(fetched, local, STEPS).files == 2
    assert held(fetched) == "onehello"
