"""The authored blocks keep their own rules, and the checker catches what breaks them."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo_world.blocks import (
    BLOCKS,
    SCENARIOS,
    BlockError,
    Line,
    check,
    line_faults,
    lines_of,
    read_items,
    read_lines,
    read_motives,
)


def test_every_block_file_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(sorted(BLOCKS.glob("*/*.toml"))) == 0
    assert capsys.readouterr().out.count(": fine,") == len(list(BLOCKS.glob("*/*.toml")))


def test_each_scenario_has_its_dozen_motives_and_shares_some() -> None:
    motives = read_motives()
    for scenario in SCENARIOS:
        assert 8 <= sum(scenario in motive.scenarios for motive in motives.values()) <= 12
    assert sum(len(motive.scenarios) > 1 for motive in motives.values()) >= 5
    for motive in motives.values():
        assert set(motive.goes_with) <= motives.keys()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_motive_is_served_and_disappointed_and_spoken_of(scenario: str) -> None:
    items = [item for item in read_items() if item.scenario == scenario]
    spoken = {line.motive for line in read_lines()[scenario]}
    for motive in read_motives().values():
        if scenario in motive.scenarios:
            assert sum(motive.id in item.serves for item in items) >= 3, motive.id
            assert sum(motive.id in item.disappoints for item in items) >= 2, motive.id
            assert motive.id in spoken


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("It has a {lid} on it.", "unknown slots"),
        ("It has [a|two lids.", "do not pair"),
        ("It [really] works.", "a choice without |"),
        ("No stop at the end", "no full stop"),
        ("One thing. And another.", "more than one sentence"),
        ("It is <b>bold</b>.", "one of < > &"),
        ("Fine.", "shorter than 2"),
        ("A real game changer for me.", "worn-out phrase"),
    ],
)
def test_the_checker_sees(text: str, fault: str) -> None:
    assert any(fault in found for found in line_faults(Line("x", text, "quality", "positive", "m")))


def test_a_file_with_a_strange_motive_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "books.toml"
    file.write_text('[cooks_for_crowd]\ngood = ["It feeds all of us."]\n')
    with pytest.raises(BlockError, match="no motive of books"):
        lines_of(file, read_motives())
