"""How somebody comes into a study: by its address alone, by an invitation, or from a panel with a number of theirs."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from persona_core.study.design import Study
from persona_core.study.store import StudyStore

TOKEN, INVITATION = "t", "i"
"""Parts of the address."""
_PANEL: Final = re.compile(r"[A-Za-z0-9_-]{12,128}")
"""Shorter numbers could be guessed, and whoever guesses one would be that person."""
_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class Door:
    """A way in that is open to whoever holds this address."""

    source: str | None
    """The same source is the same participant, in whatever browser; without one, everybody who begins is new."""
    origin: str


def door(study: Study, store: StudyStore, address: Mapping[str, str]) -> Door | None:
    """Which way in an address opens; none where it opens none."""
    if study.entry == "panel":
        number = address.get(study.panel_field, "")
        return Door(f"panel {number}", "panel") if _PANEL.fullmatch(number) else None
    if study.entry == "invited":
        code = address.get(INVITATION, "")
        return Door(f"invitation {code}", "invitation") if is_invitation(study, store, code) else None
    return Door(None, "link")


def invitations(study: Study, store: StudyStore, many: int) -> list[str]:
    """Codes that nobody can make up; each is for one person. Nothing is kept of them until somebody comes."""
    nonces = [secrets.token_urlsafe(9) for _ in range(many)]
    return [f"{nonce}.{_signature(study, store, nonce)}" for nonce in nonces]


def is_invitation(study: Study, store: StudyStore, code: str) -> bool:
    nonce, dot, signature = code[:200].partition(".")
    return bool(dot and nonce) and hmac.compare_digest(signature.encode("utf-8", "replace"), _signature(study, store, nonce).encode())


def _signature(study: Study, store: StudyStore, nonce: str) -> str:
    return store.signature(f"invitation {study.id} {nonce}")[:_LENGTH]
