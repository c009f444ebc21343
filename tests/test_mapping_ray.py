"""The door with a Ray cluster of two nodes behind it: the same answers and files, nothing asked twice, whoever dies in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from persona_core.catalog.choose import choose_source
from persona_core.errors import ModelAnswerBad, PersonaError, StepFailed
from persona_core.llm.cache import AnswerCache
from persona_core.llm.ollama_model import OllamaModel
from persona_core.llm.protocol import LanguageModel, Prompt
from persona_core.mapping import Kind, Runner, mapped
from persona_core.mapping.portions import LOSSES
from persona_core.mapping.ray_runner import RayRunner
from persona_core.settings import DEMO_DATA, OllamaSettings
from persona_core.steps import STEPS, pipeline_of
from persona_core.workspace import Workspace
from tests.support.models import appears
from tests.support.noting import Noting, dies_always, dies_once, raises
from tests.support.ollama_stand_in import DIGEST, OllamaStandIn, Request
from tests.support.ray_cluster import cluster_of
from tests.support.shop_model import words

pytestmark = [
    pytest.mark.xdist_group("ray"),  # one cluster at a time is enough for two cores
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install -r requirements-scale.txt"),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with cluster_of(2) as cluster:
        yield str(cluster.address)


@pytest.fixture
def runner(address: str) -> Iterator[RayRunner]:
    with RayRunner(4, address) as found:
        yield found


def done_by(runner: RayRunner, work: Callable[[Any], Any], many: int, journal: Path, kind: Kind = "waits") -> list[Any]:
    return list(mapped(work, list(range(many)), str, journal, runner, lambda _: None, kind))


# The contract of every runner ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["waits", "one core"])
def test_answers_come_in_order_and_nothing_is_done_twice(runner: RayRunner, kind: Kind, tmp_path: Path) -> None:
    work = Noting(tmp_path / "notes")
    assert done_by(runner, work, 20, tmp_path / "j", kind) == [n * n for n in range(20)]
    assert done_by(runner, work, 30, tmp_path / "j", kind) == [n * n for n in range(30)]
    assert work.calls() == Counter(range(30))


def test_an_error_comes_as_it_was_and_keeps_what_was_answered(runner: RayRunner, tmp_path: Path) -> None:
    with pytest.raises(ModelAnswerBad) as caught:
        done_by(runner, Noting(tmp_path / "notes", {7: raises}), 10, tmp_path / "j")
    assert (caught.value.what, caught.value.why, caught.value.mend) == ("seven", "because", "eight")
    again = Noting(tmp_path / "again")
    assert done_by(runner, again, 10, tmp_path / "j") == [n * n for n in range(10)]
    assert 7 in again.calls()
    assert len(again.calls()) < 10


# Who dies --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["waits", "one core"])
def test_a_killed_worker_costs_only_what_it_had_not_finished(runner: RayRunner, kind: Kind, tmp_path: Path) -> None:
    work = Noting(tmp_path / "notes", {9: dies_once}, seconds=0.02)
    assert done_by(runner, work, 40, tmp_path / "j", kind) == [n * n for n in range(40)]
    assert (tmp_path / "died at 9").exists()
    calls = work.calls()
    assert calls[9] == 2
    assert calls.total() - 40 < 20  # what else it had at that moment


@pytest.mark.parametrize("kind", ["waits", "one core"])
def test_what_kills_every_worker_is_named_and_not_what_was_beside_it(runner: RayRunner, kind: Kind, tmp_path: Path) -> None:
    work = Noting(tmp_path / "notes", {3: dies_always}, seconds=0.2)
    with pytest.raises(StepFailed, match="Number 4"):
        done_by(runner, work, 6, tmp_path / "j", kind)
    assert work.calls()[3] == LOSSES + 1


def test_a_lost_node_costs_only_what_it_had_not_finished(tmp_path: Path) -> None:
    with cluster_of(1) as cluster:
        other = cluster.add_node(num_cpus=1)
        work, things = Noting(tmp_path / "notes", seconds=0.2), list(range(60))
        lost: list[float] = []

        def tell(done: int) -> None:
            if done >= 20 and not lost:
                lost.append(time.monotonic())
                cluster.remove_node(other, allow_graceful=False)

        with RayRunner(4, str(cluster.address)) as runner:
            assert list(mapped(work, things, str, tmp_path / "j", runner, tell)) == [n * n for n in things]
        assert lost
        twice = [number for number, calls in work.calls().items() if calls > 1]
        assert len(twice) <= 4  # more were not under way


# Models ----------------------------------------------------------------------------------------------------------------


class Said(BaseModel):
    word: str


@dataclass(frozen=True)
class Asking:
    model: LanguageModel
    different: int
    """So many different questions there are."""
    mark: Path | None = None
    """Whoever finds no file there dies, with its question asked and not answered."""

    def __call__(self, number: int) -> str:
        if self.mark is not None and not self.mark.exists():
            self.mark.touch()
            subprocess.Popen([sys.executable, "-c", f"import os, time; time.sleep(0.2); os.kill({os.getpid()}, 9)"])
        return self.model.ask(Prompt("p", "1", "Answer.", f"question {number % self.different}"), Said).value.word


def says(request: Request) -> str:
    return json.dumps({"word": request["messages"][-1]["content"].upper()})


def question(request: Request) -> str:
    return str(request["messages"][-1]["content"])


@contextmanager
def asking(folder: Path, *servers: OllamaStandIn, parallel: int = 2) -> Iterator[OllamaModel]:
    settings = OllamaSettings(host=",".join(one.url for one in servers), model="tiny:1b", parallel=parallel)
    cache = AnswerCache(folder / "answers.sqlite")
    model = OllamaModel(settings, DIGEST, cache)
    yield model
    model.close()
    cache.close()


def test_workers_ask_the_same_once_and_several_servers_are_kept_busy(runner: RayRunner, tmp_path: Path) -> None:
    with OllamaStandIn(says, delay=0.1) as one, OllamaStandIn(says, delay=0.1) as two, asking(tmp_path, one, two) as model:
        said = done_by(runner, Asking(model, 24), 72, tmp_path / "j")
        assert said == [f"QUESTION {n % 24}" for n in range(72)]
        assert Counter(map(question, [*one.requests, *two.requests])) == Counter(f"question {n}" for n in range(24))
        for server in (one, two):
            assert server.most_at_once == 2
            assert 8 <= len(server.requests) <= 16
        done_by(runner, Asking(model, 24), 24, tmp_path / "another journal")
        assert len(one.requests) + len(two.requests) == 24


def test_an_answer_outlives_the_worker_that_waited_for_it(runner: RayRunner, tmp_path: Path) -> None:
    with OllamaStandIn(says, delay=0.6) as server, asking(tmp_path, server) as model:
        said = done_by(runner, Asking(model, 6, tmp_path / "mark"), 6, tmp_path / "j")
        assert said == [f"QUESTION {n}" for n in range(6)]
        assert Counter(map(question, server.requests)) == Counter(f"question {n}" for n in range(6))


# Where it cannot run ---------------------------------------------------------------------------------------------------


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(PersonaError, match=r"The Ray cluster 127.0.0.1:9 cannot be joined") as caught,
        RayRunner(2, "127.0.0.1:9") as runner,
    ):
        done_by(runner, Noting(tmp_path / "notes"), 2, tmp_path / "j")
    assert "ray start" in caught.value.mend


# Whole builds ----------------------------------------------------------------------------------------------------------


def artefacts(place: Workspace) -> dict[str, Any]:
    """Of every step, what it left, letter for letter, and what it counted."""
    made = {step.name: place.artefact(step.name).manifest for step in STEPS}
    return {name: ({file: stamp.sha256 for file, stamp in one.files.items()}, one.counts) for name, one in made.items()}


def built(source: Path, root: Path, runner: Runner | None = None) -> Workspace:
    place = Workspace.at(root)
    choose_source(place, str(source))
    pipeline_of(place).build(runner=runner)
    return place


def test_a_build_without_a_model_leaves_the_same_bytes(
    runner: RayRunner, tiny_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONA_OLLAMA_USE", "never")
    one, other = built(tiny_world, tmp_path / "local"), built(tiny_world, tmp_path / "ray", runner)
    assert artefacts(one) == artefacts(other)


def test_a_build_with_a_model_leaves_the_same_bytes_and_asks_as_much(
    runner: RayRunner, tiny_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OllamaStandIn(words) as local, OllamaStandIn(words) as one, OllamaStandIn(words) as two:
        monkeypatch.setenv("PERSONA_RANKING_TEACHER", "judge")
        appears(monkeypatch, local)
        alone = built(tiny_world, tmp_path / "local")
        appears(monkeypatch, one, two)
        spread = built(tiny_world, tmp_path / "ray", runner)
        assert artefacts(alone) == artefacts(spread)
        assert artefacts(alone)["aspects"][1]["by"] == "tiny:1b"
        asked = [Counter(question(request) for server in some for request in server.requests) for some in ([local], [one, two])]
        assert asked[0] == asked[1]
        assert max(asked[1].values()) == 1


@pytest.mark.skipif("PERSONA_SLOW" not in os.environ, reason="takes minutes: PERSONA_SLOW=1 pytest -n 0 tests/test_mapping_ray.py")
def test_the_demo_world_is_the_same_bytes(runner: RayRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it made, nothing taken that ships."""
    monkeypatch.setenv("PERSONA_OLLAMA_USE", "never")
    monkeypatch.setenv("PERSONA_SHIPPED", "false")
    one, other = built(DEMO_DATA, tmp_path / "local"), built(DEMO_DATA, tmp_path / "ray", runner)
    assert artefacts(one) == artefacts(other)


def test_the_command_line_tells_nothing_but_its_steps(tiny_world: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "persona_core", "build", "--runner", "ray", "--from", str(tiny_world), "--json"]
    environment = {**os.environ, "PERSONA_OLLAMA_USE": "never"}
    done = subprocess.run([*command, "--workspace", str(tmp_path / "w")], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [step["step"] for step in json.loads(done.stdout)["steps"]] == [step.name for step in STEPS]
    lines = done.stderr.splitlines()
    assert all(line.startswith("[") for line in lines[: len(STEPS)])
    assert lines[len(STEPS)].startswith("Built in")
    assert len(lines) == len(STEPS) + 1
