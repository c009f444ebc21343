"""What no advisory service could speak of is said to be unchecked; and an advisory without a verdict fails the run."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FILE = Path(__file__).resolve().parents[2] / ".ci" / "audit"
KNOWN = {"name": "alpha", "version": "1.0", "vulns": []}
UNKNOWN = {"name": "beta", "skip_reason": "Dependency not found on PyPI and could not be audited: beta (2.0)"}
BAD = {"name": "beta", "version": "2.0", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.1"]}]}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    loader = SourceFileLoader("ci_audit", str(FILE))
    spec = spec_from_loader("ci_audit", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("said", "verdicts", "code", "words"),
    [
        ({}, {}, 0, "ADVISORIES WERE NOT CHECKED: no service could be reached"),
        ({"pypi": [KNOWN, UNKNOWN]}, {}, 0, "NOT CHECKED for 1 packages, which no service knew: beta"),
        ({"pypi": [UNKNOWN], "osv": [KNOWN]}, {}, 0, "NOT CHECKED for 1 packages"),
        ({"pypi": [KNOWN, UNKNOWN], "osv": [KNOWN, {**BAD, "vulns": []}]}, {}, 0, "every pinned package was checked"),
        ({"pypi": [KNOWN]}, {}, 0, "every pinned package was checked, and nothing is open"),
        ({"pypi": [KNOWN, BAD]}, {}, 1, "PYSEC-1: NO VERDICT ON IT; mended in 2.1"),
        ({"pypi": [KNOWN, BAD]}, {"CVE-1": "we never call it"}, 0, "PYSEC-1: we never call it"),
    ],
)
def test_nothing_is_passed_off_as_checked(
    audit: ModuleType, said: dict[str, Any], verdicts: dict[str, str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main(lambda service: {"dependencies": said[service]} if service in said else None, verdicts) == code
    told = capsys.readouterr().out
    assert words in told
    assert ("every pinned package" in told) <= ("NOT CHECKED" not in told)
