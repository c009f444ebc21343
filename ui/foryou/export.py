"""The list to take along: as a table for a spreadsheet, and as a page to print."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from persona_core.engine import Engine, Ranked
from persona_core.files import no_formula
from persona_core.ranking.parts import PARTS
from persona_core.schema import Explanation, Recommendation
from ui import parts
from ui.foryou.card import closed
from ui.look import STYLES
from ui.markup import el, escaped

PAPER = """
body { font: 16px/1.5 Georgia, serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light; }
article { break-inside: avoid; border-top: 1px solid #ccc; padding: 1rem 0; }
.ps-bar, .ps-swatch { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
"""
COLUMNS = ("rank", "item", "title", "scenario", "price", *PARTS, "score", "persona", "why", "quote")


def as_csv(engine: Engine, found: Sequence[Recommendation], explained: Mapping[str, Explanation]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in found:
        item, says = engine.item(one.item_id), explained[one.item_id]
        claim = says.claims[0] if says.claims else None
        values = parts.shown(one.parts)
        persona = engine.persona(one.match.persona_id).name if one.match else ""
        words = (persona, claim.text if claim else "", claim.quotes[0].text if claim else "")
        price = "" if item.price is None else f"{item.price:.2f}"
        cells = (safe(item.id), safe(item.title), safe(item.scenario), price)
        writer.writerow((one.rank, *cells, *(f"{value:.3f}" for value in values), f"{sum(values):.3f}", *map(safe, words)))
    return out.getvalue().encode("utf-8-sig")


def safe(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula."""
    return no_formula(" ".join(text.split()))


def as_page(
    engine: Engine,
    ranked: Ranked,
    whose: str,
    found: Sequence[Recommendation],
    explained: Mapping[str, Explanation],
    names: Mapping[str, str],
) -> bytes:
    """A page that stands alone: no script, nothing loaded from anywhere."""
    style = "".join(style.read_text("utf-8") for style in STYLES)
    cards = [el("article", closed(engine, ranked, one, explained[one.item_id], names)) for one in found]
    title = f"For {whose}"
    head = el(
        "header", el("p", title, cls="ps-title"), el("p", ranked.profile.text or "No text yet.", cls="ps-meta"), parts.legend(ranked)
    )
    opening = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escaped(title)}</title>'
    return f"{opening}<style>{style}{PAPER}</style></head><body>{head}{el('section', *cards)}</body></html>".encode()
