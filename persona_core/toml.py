"""Reads TOML that anybody may have written: what would keep the parser busy for hours is refused before it sees it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

LARGEST_FILE: Final = 2**20
"""Bytes. Settings are some dozen lines; a study with all its texts in another language is a tenth of this."""
MOST_PARTS: Final = 50
"""Of a key, as in a.b.c: the parser's time grows with their square, and a file of 64 kB that is one key takes it half a minute."""
_TEXT_OR_COMMENT: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL
)  # fmt: skip


class NotToml(ValueError):
    """The text is no TOML, or none that anybody would write; the message says where."""


def table_in(text: str) -> dict[str, Any]:
    """Raises NotToml, and nothing else."""
    if len(text) > LARGEST_FILE:
        raise NotToml(f"It is larger than {LARGEST_FILE:,} bytes")
    if any(part.count(".") > MOST_PARTS for part in re.split(r"[\n{,=]", _TEXT_OR_COMMENT.sub('""', text))):
        raise NotToml(f"A key has more than {MOST_PARTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise NotToml("Lists or tables lie too deep within each other") from None
    except ValueError as error:  # also of numbers with thousands of digits
        raise NotToml(str(error)) from error


def table_of(file: Path) -> dict[str, Any]:
    """The same of a file, whose size is looked at first. Raises OSError, too."""
    if file.stat().st_size > LARGEST_FILE:
        raise NotToml(f"It is larger than {LARGEST_FILE:,} bytes")
    try:
        return table_in(file.read_bytes().decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NotToml(f"It is not written in UTF-8: {error}") from error
