"""Learning curves as pictures: valid XML whatever was measured, everything within the frame, and in words for who cannot see it."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from persona_core.alignment.curves import HEIGHT, WIDTH, Axis, curve_svg
from persona_core.alignment.training import Epoch

SVG = "{http://www.w3.org/2000/svg}"
NAN = float("nan")
numbers = st.floats() | st.sampled_from([0.0, -0.0, 0.25, 1.0, 1.7976931348623157e308, -1.7976931348623157e308, 5e-324])
curves = st.lists(st.builds(Epoch, st.integers(-3, 40) | st.integers(), numbers, numbers), max_size=12)
LEARNT = [Epoch(0, NAN, 0.1), Epoch(1, 5.0, 0.2), Epoch(2, 3.0, 0.4), Epoch(3, 2.0, 0.3)]


def drawn(curve: list[Epoch], title: str = "Learning", unit: str = "epoch") -> ElementTree.Element:
    return ElementTree.fromstring(curve_svg(curve, title, unit))


def classes(picture: ElementTree.Element, tag: str, name: str) -> list[ElementTree.Element]:
    return [one for one in picture.iter(f"{SVG}{tag}") if name in one.get("class", "").split()]


@given(curves, st.text(), st.text(max_size=8))
@example([Epoch(0, 1e308, -1e308), Epoch(1, -1e308, 1e308)], "\x00\ud800\uffff]]><script>&", "\x1b<")
@example([Epoch(10**400, 1.0, 1.0)], "", "")
@example([Epoch(0, 1.0, 1.0), Epoch(0, math.nextafter(1.0, 2.0), 1.0)], "equal but for the last bit", "epoch")
def test_whatever_was_measured_it_is_xml_and_lies_within_the_picture(curve: list[Epoch], title: str, unit: str) -> None:
    picture = drawn(curve, title, unit)
    places = [(name, WIDTH) for name in ("x", "x1", "x2", "cx")] + [(name, HEIGHT) for name in ("y", "y1", "y2", "cy")]
    for one in picture.iter():
        assert all(0 <= float(one.get(name, "0")) <= most for name, most in places)
        for point in one.get("points", "").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
    for kind in ("loss", "ndcg"):
        dots = classes(picture, "circle", {"loss": "loss-dot", "ndcg": "good-dot"}[kind])
        assert len(dots) == sum(math.isfinite(getattr(epoch, kind)) for epoch in curve)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_round_few_and_within_the_axis(low: float, length: float) -> None:
    assume(length > abs(low) * 1e-9)  # below that floats lie too far apart for a hundredth of the axis
    axis = Axis(low, low + length, 100.0, 0.0)
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 12
    assert ticks == sorted(ticks)
    assert low - length / 100 <= ticks[0] <= ticks[-1] <= low + length * 1.01
    assert axis.at(low) == 100.0
    assert axis.at(low + length) == 0.0


def test_epochs_have_whole_ticks() -> None:
    assert Axis(0, 3, 0, 1).ticks(whole=True) == [0, 1, 2, 3]
    assert Axis(0, 16, 0, 1).ticks(whole=True) == [0, 5, 10, 15]
    assert Axis(0.1, 0.4, 0, 1).ticks() == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_the_better_the_higher_and_the_later_the_further_right() -> None:
    dots = classes(drawn(LEARNT), "circle", "good-dot")
    heights = [float(dot.get("cy", "")) for dot in dots]
    assert heights[2] < heights[3] < heights[1] < heights[0]
    across = [float(dot.get("cx", "")) for dot in dots]
    assert across == sorted(across)
    assert len({round(b - a) for a, b in pairwise(across)}) == 1


def test_a_gap_in_what_was_measured_is_a_gap_in_the_line() -> None:
    curve = [Epoch(n, NAN if n in (0, 3) else 1.0 / n, 0.1) for n in range(6)]
    runs = [line.get("points", "").split() for line in classes(drawn(curve), "polyline", "loss")]
    assert [len(run) for run in runs] == [2, 2]


def test_it_says_in_words_what_it_shows() -> None:
    picture = drawn(LEARNT, "How <it> learned & why")
    title, desc = picture.find(f"{SVG}title"), picture.find(f"{SVG}desc")
    assert title is not None
    assert desc is not None
    assert title.text == "How <it> learned & why"
    assert (desc.text or "").endswith("is 0.1 at epoch 0, 0.3 at epoch 3, and at its best 0.4 at epoch 2.")
    assert picture.get("role") == "img"
    assert picture.get("aria-labelledby", "").split() == [title.get("id"), desc.get("id")]
    assert "best 0.4 at epoch 2" in [one.text for one in picture.iter(f"{SVG}text")]


def test_nothing_measured_is_said() -> None:
    for curve in ([], [Epoch(0, NAN, NAN)]):
        assert [one.text for one in drawn(curve).iter(f"{SVG}text")].count("nothing measured") == 2


def test_two_curves_on_one_page_keep_out_of_each_others_way() -> None:
    one, other = curve_svg(LEARNT, "One"), curve_svg(LEARNT, "Other")
    ids = [set(re.findall(r'id="([^"]+)"', text)) for text in (one, other)]
    assert ids[0].isdisjoint(ids[1])
    assert curve_svg(LEARNT, "One") == one
    rules = re.search(r"<style>(.*?)</style>", one, re.DOTALL)
    assert rules is not None
    selectors = re.findall(r"([^{}]+)\{", rules[1])
    assert all(selector.strip().startswith((".frame-", "@media")) for selector in selectors)
    assert "prefers-color-scheme:dark" in rules[1]
    assert "currentColor" in rules[1]
