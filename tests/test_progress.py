"""Long work shows itself: counts, rate and time left, alive on a terminal and one line a step elsewhere."""

from __future__ import annotations

import io
import json

import pytest

from persona_core.progress import JsonListener, Meter, Progress, TerminalListener, in_words, progress_in


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def working(done: int, total: int) -> Progress:
    return Progress("one", "Making one", 1, 2, "working", done, total, "things", 10.0, 5.0)


def test_a_terminal_shows_counts_rate_and_time_left_on_one_line() -> None:
    terminal = Terminal()
    listener = TerminalListener(terminal)
    listener(working(50, 100))
    assert "50 of 100 things, 10/s, 5 s left" in terminal.getvalue()
    assert "\n" not in terminal.getvalue()


def test_a_log_gets_one_line_a_step() -> None:
    log = io.StringIO()
    listener = TerminalListener(log)
    for phase in ("started", "working", "finished"):
        listener(Progress("one", "Making one", 1, 2, phase, seconds=1.5, note="6 things"))  # type: ignore[arg-type]
    assert log.getvalue() == "[1/2] Making one: done in 1.5 s (6 things)\n"


def test_the_meter_reports_the_rate_of_this_run_not_of_what_was_done_before(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1.0, 1.0, 3.0, 3.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    heard: list[Progress] = []
    meter = Meter(heard.append, "one", "Making one", 1, 1, _began=0.0)
    meter.working(80, 100, "things")
    meter.working(90, 100, "things")
    assert heard[-1].rate == pytest.approx(10 / 3)
    assert heard[-1].seconds_left == pytest.approx(3.0)


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (42, "42 s"), (600, "10 min"), (9000, "2.5 h")])
def test_lengths_of_time_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_a_program_that_watches_gets_a_line_of_json_and_not_too_many() -> None:
    log = io.StringIO()
    listener = JsonListener(log, every=3600)
    steps = [working(done, 100) for done in (1, 2, 100)]
    for progress in (*steps, Progress("one", "Making one", 1, 2, "finished", note="<b>6</b> things")):
        listener(progress)
    told = [progress_in(json.loads(line)) for line in log.getvalue().splitlines()]
    assert [one and (one.phase, one.done) for one in told] == [("working", 1), ("working", 100), ("finished", 0)]
    assert told[-1] == Progress("one", "Making one", 1, 2, "finished", note="<b>6</b> things")


@pytest.mark.parametrize(
    "row", [None, [], {}, {"phase": "dancing"}, {"step": 1, "title": "", "number": 1, "of": 1, "phase": "working"}]
)
def test_what_is_no_progress_is_none(row: object) -> None:
    assert progress_in(row) is None
