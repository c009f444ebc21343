"""Markup carries nothing of a stranger's: whatever text goes in, a browser reads the same text, and no element more."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.look import tame
from ui.markup import Markup, el, escaped, joined


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markup: Markup) -> Reader:
    reader = Reader()
    reader.feed(str(markup))
    reader.close()
    return reader


hostile = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&lt;b&gt;", "</div><a href='javascript:1'>", "<!--", "]]>"]
)


@given(hostile, hostile)
def test_text_and_attributes_stay_text(words: str, said: str) -> None:
    found = read(el("div", words, el("b", "mine"), cls="ps-card", title=said))
    assert [tag for tag, _ in found.tags] == ["div", "b"]
    assert dict(found.tags[0][1]).keys() == {"class", "title"}
    if words.isprintable():
        assert found.text == f"{words}mine"
    if said.isprintable():
        assert dict(found.tags[0][1])["title"] == said


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_what_would_turn_the_reading_direction_is_shown_as_a_box(words: str) -> None:
    assert not set(escaped(words)) & set("\u202e\u202d\u2066\u0000\u200b")


def test_only_this_module_makes_markup() -> None:
    with pytest.raises(TypeError, match="el"):
        Markup("<script>")


@pytest.mark.parametrize("tag", ["script", "img", "a", "iframe", "style", "input", "svg"])
def test_nothing_that_loads_links_or_runs_can_be_made(tag: str) -> None:
    with pytest.raises(ValueError, match="not among the tags"):
        el(tag)


@pytest.mark.parametrize("name", ["onclick", "href", "src", "srcdoc"])
def test_no_attribute_that_acts_can_be_set(name: str) -> None:
    with pytest.raises(ValueError, match="not among the attributes"):
        el("p", "x", **{name: "y"})


@pytest.mark.parametrize(
    "style", ["background: url(http://example.invalid)", "width: 3px; position: fixed", "}", "width: expression(1)"]
)
def test_a_style_is_a_size_and_nothing_else(style: str) -> None:
    with pytest.raises(ValueError, match="not a list of sizes"):
        el("p", style=style)


def test_pieces_are_joined_and_nothing_is_nothing() -> None:
    assert str(joined(el("b", 1), None, " < ", 2.5)) == "<b>1</b> &lt; 2.5"
    assert str(el("span", style="width: 12.50%")) == '<span style="width: 12.50%"></span>'


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_label_keeps_its_words_and_loses_its_markdown(words: str) -> None:
    found = tame(words)
    assert found.replace("\\", "") == " ".join(words.split()).replace("\\", "")
    bare = found.replace("\\\\", "")
    assert all(bare[place - 1] == "\\" for place, sign in enumerate(bare) if sign in "*_[]<>$`~:#")
