"""Teaching a model of several scenarios by command: judged beside the plain one, kept whole, and refused where it cannot be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from persona_core.cli import main
from persona_core.errors import ArtefactBroken, PersonaError, WorkspaceMissing
from persona_core.scenarios.backbones import BACKBONES
from persona_core.scenarios.inputs import Batch
from persona_core.scenarios.schooling import schooling_of
from persona_core.scenarios.taught import FOLDER, WEIGHTS, Taught, keep, listening
from persona_core.scenarios.teaching import CARD, CURVE
from persona_core.workspace import Workspace
from tests.scenarios.made import ITEMS, SCENARIOS, USERS, kinds, known, samples
from tests.support.models import appears, no_pauses  # noqa: F401 - a fixture works by being here
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.worlds import read_source, tiny_reviews

pytestmark = pytest.mark.xdist_group("encoder")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Of several hundred reviews: every part of time needs likes and dislikes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONA_OLLAMA_USE", "never")
        return read_source(tmp_path_factory.mktemp("taught") / "tiny", tiny_reviews(number=300))


@pytest.fixture
def server() -> Iterator[OllamaStandIn]:
    with OllamaStandIn() as stand_in:
        yield stand_in


def run(place: Workspace, *words: str, fails: bool = False) -> Any:
    ran = CliRunner().invoke(main, ["train-scenarios", "--epochs", "2", *words, "--workspace", str(place.root), "--json"])
    assert (ran.exit_code != 0) is fails, ran.output
    return json.loads(ran.stdout.splitlines()[-1])


def test_it_is_judged_beside_the_plain_one_and_answers_as_it_was_taught(world: Workspace) -> None:
    with pytest.raises(WorkspaceMissing, match="train-scenarios"):
        Taught.of(world)
    found = run(world, "--backbone", "MMoE")
    assert set(found["card"]["judged on later samples"]) == {"plain", "both"}
    assert json.loads((world.root / FOLDER / CARD).read_text()) == found["card"]
    assert "AUC on validation" in (world.root / FOLDER / CURVE).read_text()
    taught = Taught.of(world)
    user, items = next(iter(taught.users)), list(taught.items)
    said = taught.chances(user, items, 3.0)
    assert all(0 < one < 1 for one in said)
    assert taught.chances(user, items[2:3], 3.0) == pytest.approx([said[2]], abs=1e-6), "whatever else is asked"
    assert run(world, "--backbone", "MMoE") == found
    with pytest.raises(PersonaError, match="nobody"):
        taught.chances("nobody", items, 3.0)


def test_an_embedding_model_reads_what_is_known_of_people_and_is_asked_once(
    world: Workspace, server: OllamaStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    appears(monkeypatch, server)
    world = Workspace.at(shutil.copytree(world.root, tmp_path / "own"))  # the model reads its reviews, too
    found = run(world, "--embed", "tiny:1b")
    assert found["card"]["vectors by"] == "tiny:1b"
    asked = len(server.embedded)
    assert asked == len(set(server.embedded)) > 0
    run(world, "--embed", "tiny:1b", "--backbone", "STAR")
    assert len(server.embedded) == asked


def test_a_model_that_is_not_there_or_a_world_of_one_scenario_is_refused(
    world: Workspace, server: OllamaStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "cannot be reached" in run(world, "--embed", "tiny:1b", fails=True)["what"]
    appears(monkeypatch, server)
    assert "absent" in run(world, "--embed", "absent", fails=True)["what"]


def test_knowledge_is_of_the_training_period_alone(world: Workspace, tmp_path: Path) -> None:
    """The same world with other words and ratings after it has the same knowledge, profiles included."""
    one = schooling_of(world, 7)
    rows = tiny_reviews(number=300)
    late = sorted(rows, key=lambda row: str(row["time"]))[-len(one.lessons.test) // 4 :]
    for row in late:
        row |= {"text": "A wholly other thing: zorbulite seals turn blue.", "rating": 6 - row["rating"]}
    other = schooling_of(read_source(tmp_path / "tiny", rows), 7)
    assert not np.array_equal(one.lessons.test.labels, other.lessons.test.labels), "they do differ"
    assert np.array_equal(one.users, other.users)
    assert np.array_equal(one.scenarios, other.scenarios)
    assert one.known.user_texts is not None
    assert other.known.user_texts is not None
    assert np.array_equal(one.known.user_texts, other.known.user_texts)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_what_is_kept_says_what_the_model_said(tmp_path: Path, backbone: str) -> None:
    from persona_core.scenarios.samples import Lessons

    torch.manual_seed(3)
    model = listening(known(), backbone, kinds(), np.eye(SCENARIOS, dtype=np.float32)).eval()
    model.sureness.fill_(0.5)
    with torch.no_grad():
        for one in model.parameters():
            one.add_(0.1 * torch.randn_like(one))
    many = samples(1)
    lessons = Lessons(many, many, many, tuple(map(str, range(USERS))), tuple(f"i{at}" for at in range(ITEMS)), ("a", "b"),
                      np.arange(ITEMS) // (ITEMS // SCENARIOS))  # fmt: skip
    (tmp_path / FOLDER).mkdir()
    keep(tmp_path / FOLDER, lessons, model, {"backbone": backbone})
    some = samples(2, 1)
    with torch.no_grad():
        true = torch.sigmoid(model(Batch.of(some))).tolist()
    found = Taught.of(Workspace.at(tmp_path)).chances(
        str(some.users[0]), [f"i{some.items[0]}"], float(np.expm1(some.recency[0]))
    )  # fmt: skip
    assert found == pytest.approx(true, abs=1e-5)


@pytest.mark.parametrize("broken", [b"", b"junk", b"\xff" * 100])
def test_a_broken_file_is_an_error_that_says_what_to_do(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / WEIGHTS).write_bytes(broken)
    with pytest.raises(ArtefactBroken, match="train-scenarios"):
        Taught.of(Workspace.at(tmp_path))
