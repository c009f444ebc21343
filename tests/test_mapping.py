"""The one door for work over many things: every runner gives the same answers, in the order of the things."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from persona_core.cli import main
from persona_core.errors import ModelAnswerBad, PersonaError, StepFailed
from persona_core.llm.cache import AnswerCache
from persona_core.llm.ollama_model import OllamaModel
from persona_core.mapping import LocalRunner, Runner, local, mapped
from persona_core.mapping.portions import LOSSES, Done, Portions, applied
from persona_core.settings import OllamaSettings
from tests.support.noting import Noting, dies_always, dies_once, raises

RUNNERS: dict[str, Runner] = {"in line": LocalRunner(1), "threads": LocalRunner(4)}


def run(runner: Runner, things: list[int], journal: Path, asked: list[int] | None = None) -> list[Any]:
    def square(thing: int) -> int:
        if asked is not None:
            asked.append(thing)
        return thing * thing

    return list(mapped(square, things, str, journal, runner, lambda _: None))


@pytest.mark.parametrize("runner", RUNNERS)
class TestEveryRunner:
    def test_answers_come_in_order(self, runner: str, tmp_path: Path) -> None:
        assert run(RUNNERS[runner], list(range(50)), tmp_path / "j") == [n * n for n in range(50)]

    def test_nothing_is_asked_twice(self, runner: str, tmp_path: Path) -> None:
        run(RUNNERS[runner], list(range(0, 20, 2)), tmp_path / "j")
        asked: list[int] = []
        assert run(RUNNERS[runner], list(range(20)), tmp_path / "j", asked) == [n * n for n in range(20)]
        assert sorted(asked) == list(range(1, 20, 2))

    def test_an_error_comes_through_and_keeps_what_was_answered(self, runner: str, tmp_path: Path) -> None:
        def fails_at_seven(thing: int) -> int:
            if thing == 7:
                raise ValueError("seven")
            return thing

        with pytest.raises(ValueError, match="seven"):
            list(mapped(fails_at_seven, list(range(10)), str, tmp_path / "j", RUNNERS[runner], lambda _: None))
        asked: list[int] = []
        run(RUNNERS[runner], list(range(10)), tmp_path / "j", asked)
        assert 7 in asked
        assert len(asked) < 10

    def test_no_things_no_answers(self, runner: str, tmp_path: Path) -> None:
        assert run(RUNNERS[runner], [], tmp_path / "j") == []


def test_a_journal_cut_off_in_the_middle_of_a_line_loses_that_line_only(tmp_path: Path) -> None:
    journal = tmp_path / "j"
    run(LocalRunner(1), [1, 2, 3], journal)
    journal.write_bytes(journal.read_bytes()[:-3])
    asked: list[int] = []
    assert run(LocalRunner(1), [1, 2, 3], journal, asked) == [1, 4, 9]
    assert asked == [3]
    asked.clear()
    run(LocalRunner(1), [1, 2, 3], journal, asked)
    assert asked == []


def test_two_things_of_one_name_are_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="same key"):
        run(LocalRunner(1), [1, 1], tmp_path / "j")


# Processes -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> LocalRunner:
    """Two of them, started after the first thing, however little there is to do."""
    monkeypatch.setattr(local, "TRIED_S", -1.0)
    monkeypatch.setattr(local, "WORTH_S", -1.0)
    return LocalRunner(1, 2)


def computed(runner: Runner, work: Noting, many: int, journal: Path) -> list[Any]:
    return list(mapped(work, list(range(many)), str, journal, runner, lambda _: None, "one core"))


def test_processes_give_the_same_answers_and_nothing_is_done_twice(processes: LocalRunner, tmp_path: Path) -> None:
    work = Noting(tmp_path / "notes")
    assert computed(processes, work, 30, tmp_path / "j") == [n * n for n in range(30)]
    assert work.calls() == dict.fromkeys(range(30), 1)


def test_a_killed_process_costs_only_what_was_unfinished(processes: LocalRunner, tmp_path: Path) -> None:
    work = Noting(tmp_path / "notes", {9: dies_once}, seconds=0.02)
    assert computed(processes, work, 30, tmp_path / "j") == [n * n for n in range(30)]
    assert work.calls()[9] == 2
    assert work.calls().total() - 30 < 30


def test_an_error_in_a_process_comes_as_it_was(processes: LocalRunner, tmp_path: Path) -> None:
    with pytest.raises(ModelAnswerBad) as caught:
        computed(processes, Noting(tmp_path / "notes", {7: raises}), 10, tmp_path / "j")
    assert (caught.value.what, caught.value.why, caught.value.mend) == ("seven", "because", "eight")
    assert computed(processes, Noting(tmp_path / "again"), 10, tmp_path / "j") == [n * n for n in range(10)]


def test_what_kills_every_process_is_named(processes: LocalRunner, tmp_path: Path) -> None:
    """And not what was under way beside it."""
    work = Noting(tmp_path / "notes", {3: dies_always}, seconds=0.2)
    with pytest.raises(StepFailed, match="Number 4"):
        computed(processes, work, 6, tmp_path / "j")
    assert work.calls()[3] == LOSSES + 1


def test_processes_are_not_started_for_little_work(tmp_path: Path) -> None:
    assert list(mapped(lambda n: n + 1, [1, 2], str, tmp_path / "j", LocalRunner(1, 2), lambda _: None, "one core")) == [2, 3]


# Portions --------------------------------------------------------------------------------------------------------------


def test_portions_grow_with_the_pace_and_shrink_when_one_is_lost() -> None:
    portions = Portions([(n, n) for n in range(1000)], most=100)
    sizes = []
    for _ in range(9):
        sizes.append(len(portions.next()))
        portions.learn(Done([(0, 0)] * sizes[-1], None, 0.001 * sizes[-1]))
    assert sizes == [1, 2, 4, 8, 16, 32, 64, 100, 100]
    lost = portions.next()
    portions.back(lost[:3])
    assert portions.doubted
    assert [portions.next() for _ in range(3)] == [[one] for one in lost[:3]]
    assert not portions.doubted


def test_a_slow_pace_keeps_portions_small() -> None:
    portions = Portions([(n, n) for n in range(10)])
    portions.learn(Done([(0, 0)], None, 3.0))
    assert len(portions.next()) == 1


def test_a_portion_ends_at_its_first_error_and_keeps_what_came_before() -> None:
    done = applied(lambda n: 6 // n, [(0, 3), (1, 0), (2, 1)])
    assert done.answers == [(0, 2)]
    assert isinstance(done.error, ZeroDivisionError)


# What travels ----------------------------------------------------------------------------------------------------------


def test_a_model_is_made_again_from_its_recipe(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "answers.sqlite")
    model = OllamaModel(OllamaSettings(model="tiny:1b"), "feed", cache, seed=3, temperature=0.5)
    assert model.recipe.answers == cache.path  # though it has no answers yet
    assert OllamaModel.made(model.recipe, cache).recipe == model.recipe
    assert OllamaModel(OllamaSettings(), "feed").recipe.answers is None
    cache.close()


# Choosing one ----------------------------------------------------------------------------------------------------------


def test_without_ray_one_is_told_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from persona_core.mapping.ray_runner import RayRunner

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PersonaError) as caught:
        run(RayRunner(2), [1, 2], tmp_path / "j")
    assert caught.value.mend == "pip install -r requirements-scale.txt"


def test_an_address_is_for_ray_alone(tiny_world: Path, tmp_path: Path) -> None:
    arguments = ["build", "--workspace", str(tmp_path / "w"), "--from", str(tiny_world), "--address", "127.0.0.1:1"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "add --runner ray" in result.stderr
