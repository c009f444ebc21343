"""A study written as its file reads as the very same study, whatever stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.study import design
from persona_core.study.design import read_study, study_in
from persona_core.study.writing import as_file
from tests.study.made import study

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=80).filter(lambda one: one.strip())


@settings(max_examples=120, deadline=None)
@given(TEXTS, TEXTS, st.booleans())
def test_it_reads_as_it_was(title: str, text: str, within: bool) -> None:
    made = study(title=title, consent={"version": "1", "text": text}, within=within, debrief=text)
    assert study_in(as_file(made)) == made


@pytest.mark.parametrize("text", ['ends with "', 'a """ b\n"""', "back\\slash\nand line", "\n\nlines\n", "tab\there\nx", "\x00", '"'])
def test_awkward_words_come_through(text: str) -> None:
    made = study(title="x" + text, debrief="x" + text)
    assert study_in(as_file(made)) == made


def test_the_shipped_study_comes_through_with_all_its_parts() -> None:
    shipped = read_study(Path(design.__file__).with_name("template.toml"))
    again = study_in(as_file(shipped))
    assert again == shipped
    assert again.content == shipped.content
