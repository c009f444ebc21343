"""The one door for work over many things: every runner gives the same answers, in the order of the things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from persona_core.mapping import LocalRunner, Runner, mapped

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
