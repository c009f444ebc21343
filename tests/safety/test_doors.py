"""Whatever comes in at any door, there is a good result or an error of our own, and nothing beyond the example's folder is touched.

A few examples each, the same in every run; `python -m benchmarks.fuzz` takes others for as long as it is let.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.safety.doors import Target, met
from tests.safety.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_comes_out_but_results_and_errors_of_ours(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # what outlives a power cut is not the question here

    @settings(max_examples=target.few, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(target.examples())
    def at_the_door(example: Any) -> None:
        met(target, example)

    at_the_door()
