"""The house rules that a program can hold: who may import whom, what may read the truth, how long things may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "persona_core"
OURS = [
    ROOT / "app.py",
    *(f for d in ("persona_core", "ui", "app_pages", "demo_world", "benchmarks") for f in (ROOT / d).rglob("*.py")),
]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def calls_in(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]


def called(call: ast.Call) -> str:
    """What is called, as it is written."""
    return ast.unparse(call.func)


@pytest.mark.parametrize("path", sorted(ENGINE.rglob("*.py")), ids=named)
def test_the_engine_knows_nothing_of_the_app(path: Path) -> None:
    strangers = {name for name in imports_of(path) if name.split(".")[0] in ("streamlit", "ui", "app_pages", "demo_world", "tests")}
    assert not strangers


@pytest.mark.parametrize("path", OURS, ids=named)
def test_only_evaluation_reads_the_truth(path: Path) -> None:
    if path.is_relative_to(ENGINE / "evaluation") or path.is_relative_to(ROOT / "benchmarks"):
        return
    assert "persona_core.evaluation.truth" not in set(imports_of(path))
    if not path.is_relative_to(ROOT / "demo_world"):  # which writes it
        assert "truth.jsonl" not in path.read_text("utf-8")


def test_schema_and_errors_import_nothing_of_the_project() -> None:
    for name in ("schema", "errors"):
        assert not [one for one in imports_of(ENGINE / f"{name}.py") if one.startswith("persona_core")]


FEATURES = ("personas", "profiles", "alignment", "ranking", "explain", "trends", "scenarios", "study", "evaluation")
GROUND = ("catalog", "text", "llm")


@pytest.mark.parametrize("path", [f for d in GROUND for f in (ENGINE / d).rglob("*.py")], ids=named)
def test_the_ground_floor_does_not_look_up(path: Path) -> None:
    above = {f"persona_core.{name}" for name in (*FEATURES, "engine", "cli", "steps", "doctor")}
    assert not {name for name in imports_of(path) if ".".join(name.split(".")[:2]) in above}


@pytest.mark.parametrize("path", OURS, ids=named)
def test_every_module_opens_with_what_it_is_for_and_stays_short(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)), "a module opens with one sentence saying what it is for"
    assert len(text.splitlines()) <= 400


@pytest.mark.parametrize("path", OURS, ids=named)
def test_functions_stay_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            body = node.end_lineno - node.body[0].lineno + 1 if node.end_lineno else 0
            assert body <= 45, f"{node.name} has {body} lines"


@pytest.mark.parametrize("path", [*(ROOT / "ui").rglob("*.py"), *(ROOT / "app_pages").rglob("*.py"), ROOT / "app.py"], ids=named)
def test_pages_never_show_html_and_import_nothing_heavy(path: Path) -> None:
    assert "unsafe_allow_html" not in path.read_text("utf-8")
    assert not {"torch", "sentence_transformers", "chromadb"} & {name.split(".")[0] for name in imports_of(path)}


@pytest.mark.parametrize("path", [*(ROOT / "ui").rglob("*.py"), *(ROOT / "app_pages").rglob("*.py")], ids=named)
def test_every_chart_is_told_to_those_who_cannot_see_it(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.endswith("_chart"):
            assert any(keyword.arg == "alt" for keyword in node.keywords), f"line {node.lineno}"


@pytest.mark.parametrize("path", [*(ROOT / "ui").rglob("*.py"), *(ROOT / "app_pages").rglob("*.py")], ids=named)
def test_only_two_places_hand_html_to_the_browser(path: Path) -> None:
    """Styles of our own, and markup that escapes by construction."""
    if path.name not in ("markup.py", "look.py", "tour.py"):
        assert "st.html(" not in path.read_text("utf-8")


@pytest.mark.parametrize("path", OURS, ids=named)
def test_nothing_is_ever_unpickled(path: Path) -> None:
    assert not {"pickle", "joblib", "dill", "shelve", "marshal", "cloudpickle"} & {name.split(".")[0] for name in imports_of(path)}
    for call in calls_in(path):
        said = {one.arg: ast.unparse(one.value) for one in call.keywords}
        assert not called(call).endswith(("torch.load", "read_pickle", "to_pickle")), f"line {call.lineno}"
        assert said.get("allow_pickle", "False") == "False", f"line {call.lineno}"
        assert "persist" not in said or not called(call).startswith("st.cache"), f"line {call.lineno}: it would pickle to the disk"


@pytest.mark.parametrize("path", OURS, ids=named)
def test_weights_are_read_as_safetensors_from_this_disk_and_bring_no_code(path: Path) -> None:
    for call in calls_in(path):
        name, said = called(call), ast.unparse(call)
        if name.endswith(".from_pretrained") or name == "SentenceTransformer":
            assert "local_files_only=True" in said, f"line {call.lineno}"
            assert "trust_remote_code=True" not in said, f"line {call.lineno}"
        if (name.startswith("AutoModel") and name.endswith("from_pretrained")) or name == "SentenceTransformer":
            assert "use_safetensors" in said or "**where" in said, f"line {call.lineno}"


@pytest.mark.parametrize("path", OURS, ids=named)
def test_no_text_is_run_as_a_program(path: Path) -> None:
    for call in calls_in(path):
        assert called(call) not in ("eval", "exec", "compile", "os.system", "os.popen", "__import__"), f"line {call.lineno}"
        assert not any(one.arg == "shell" and ast.unparse(one.value) != "False" for one in call.keywords), f"line {call.lineno}"


@pytest.mark.parametrize("path", OURS, ids=named)
def test_archives_are_never_unpacked_under_their_own_names(path: Path) -> None:
    assert not [call.lineno for call in calls_in(path) if called(call).endswith((".extractall", ".extract", "unpack_archive"))]


def test_everything_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+(\[[a-z]+\])?==[0-9][\w.]*", line) for line in lines), lines
