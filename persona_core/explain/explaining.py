"""Puts an explanation together: what was found to hold, in words by rule or by a model, with reasons and how sure it all is."""

from __future__ import annotations

from persona_core.engine import Engine, Ranked
from persona_core.explain.claims import found_in
from persona_core.explain.evidence import Evidence
from persona_core.explain.reasons import certainty_of, reasons_for
from persona_core.explain.telling import told
from persona_core.explain.wording import worded
from persona_core.llm.protocol import LanguageModel
from persona_core.schema import ClaimKind, Explanation


def explanation(engine: Engine, ranked: Ranked, item_id: str, model: LanguageModel | None = None) -> Explanation:
    """Why this item stands where it does in this answer; worded by the model where there is one and it keeps to the claims."""
    evidence = Evidence.of(engine, ranked, engine.code[item_id])
    found = found_in(evidence)
    reader = ranked.profile.user_id
    claims = told(model, evidence, found.claims) if model else [worded(one, reader) for one in found.claims]
    return Explanation(
        item_id=item_id,
        claims=tuple(one for one in claims if one.kind is not ClaimKind.CAUTION),
        cautions=tuple(one for one in claims if one.kind is ClaimKind.CAUTION),
        reasons=reasons_for(evidence),
        certainty=certainty_of(evidence, found),
        dropped=found.dropped,
    )
