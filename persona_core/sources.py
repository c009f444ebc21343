"""Digests of what a step depends on outside the workspace: data files and the project's own code."""

from __future__ import annotations

import ast
import importlib.util
from functools import cache
from pathlib import Path

import orjson

from persona_core.files import digest, file_digest, write_json


def code_digest(modules: tuple[str, ...]) -> str:
    """One digest of what the named modules and packages do; comments, docstrings and layout do not count."""
    return digest("\n".join(_module_digest(name) for name in sorted(modules)).encode())


@cache
def _module_digest(name: str) -> str:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ValueError(f"{name} is no module of this project")
    origin = Path(spec.origin)
    files = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
    return digest("\n".join(_meaning(file) for file in files).encode())


def _meaning(file: Path) -> str:
    tree = ast.parse(file.read_text("utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_bare_text(part)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_bare_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


class FileDigests:
    """Digests of large files, remembered by path, size and time of change, so that a second look costs nothing."""

    def __init__(self, memory: Path) -> None:
        self.memory = memory
        self.known: dict[str, list[object]] = {}
        if memory.exists():
            try:
                known = orjson.loads(memory.read_bytes())
                self.known = known if isinstance(known, dict) else {}
            except (OSError, ValueError):
                self.known = {}

    def of(self, files: list[Path]) -> dict[str, str]:
        names = [file.name for file in files]
        found = {(file.name if names.count(file.name) == 1 else str(file)): self._one(file) for file in files}
        if found and self.memory.parent.is_dir():
            self._remember()
        return found

    def _one(self, file: Path) -> str:
        status = file.stat()
        stamp = [status.st_size, status.st_mtime_ns]
        name = str(file.resolve())
        known = self.known.get(name)
        if not (isinstance(known, list) and known[:2] == stamp):
            known = [*stamp, file_digest(file)]
            self.known[name] = known
        return str(known[2])

    def _remember(self) -> None:
        try:
            if not self.memory.exists() or orjson.loads(self.memory.read_bytes()) != self.known:
                write_json(self.memory, self.known)
        except (OSError, ValueError):
            return  # a read-only workspace only loses speed here
