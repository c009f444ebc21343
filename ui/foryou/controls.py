"""What a person may set for the list: filters, variety and the weight of each part; kept in the address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from persona_core.engine import Engine, Options
from persona_core.ranking.parts import HABIT, POPULARITY, TASTE, TREND, Weights
from persona_core.ranking.parts import SCENARIO as ELSEWHERE
from persona_core.schema import PriceBand
from ui import parts

SCENARIO, PRICE, SHOW, VARY, MIX, SEEN = "scenario", "price", "show", "vary", "mix", "seen"
WEIGHTS = {TASTE: "w_taste", HABIT: "w_past", POPULARITY: "w_popular", TREND: "w_trend", ELSEWHERE: "w_elsewhere"}
HOW_MANY = (5, 10, 20, 50)
MOST_SCENARIOS = 8
"""More than these are chosen from a list instead of from pills."""


def draw(engine: Engine) -> tuple[Options, int]:
    """Draws the controls and gives what they say."""
    with st.container(key="controls", horizontal=True, vertical_alignment="bottom", gap="medium"):
        _scenarios(sorted({item.scenario for item in engine.items}))
        st.pills("Price", list(PriceBand), format_func=str.capitalize, selection_mode="multi", key=PRICE, bind="query-params",
                 help="Within its scenario: the cheapest third, the middle, the dearest. None chosen: all.")  # fmt: skip
        shown = st.segmented_control("How many", HOW_MANY, default=10, required=True, key=SHOW, bind="query-params")
        with st.popover("What counts", icon=":material/tune:"):
            _weights(engine.options)
    return options_kept(engine), shown if shown in HOW_MANY else 10


def _scenarios(names: Sequence[str]) -> None:
    if len(names) < 2:
        return
    help_ = "None chosen: all."
    if len(names) <= MOST_SCENARIOS:
        st.pills("Scenario", names, format_func=str.capitalize, selection_mode="multi", key=SCENARIO, bind="query-params", help=help_)
    else:
        st.multiselect("Scenario", names, format_func=str.capitalize, key=SCENARIO, bind="query-params", help=help_)


def _weights(usual: Options) -> None:
    st.caption("The score is the sum of its parts. Here you say how much each may count.")
    defaults = {
        TASTE: usual.weights.taste,
        HABIT: usual.weights.habit,
        POPULARITY: usual.weights.popularity,
        TREND: usual.weights.trend,
        ELSEWHERE: usual.weights.scenario,
    }
    for name, key in WEIGHTS.items():
        _share(parts.NAMES[name].capitalize(), defaults[name], key, parts.SAYS[name])
    _share("Your words beside your past", usual.mix, MIX,
           "At 1 only what your profile says makes your taste; at 0 only what you came to before.")  # fmt: skip
    _share("Variety", usual.diversity, VARY, "At 0 the list goes by score alone; higher, each next item is also unlike those above.")
    st.toggle("Show what you came to already", key=SEEN, bind="query-params")
    st.button("Reset", icon=":material/restart_alt:", on_click=reset, args=(defaults, usual))


def _share(label: str, value: float, key: str, says: str) -> None:
    st.slider(label, 0.0, 1.0, float(value), 0.05, key=key, bind="query-params", help=says)


def reset(weights: dict[str, float], usual: Options) -> None:
    """Everything under "What counts" as the workspace has it."""
    for name, key in WEIGHTS.items():
        st.session_state[key] = float(weights[name])
    st.session_state[MIX], st.session_state[VARY], st.session_state[SEEN] = float(usual.mix), float(usual.diversity), False


def options_kept(engine: Engine) -> Options:
    """What is set, also on a page that does not draw the controls; what was tampered with is brought within bounds."""
    kept, usual = st.session_state, engine.options

    def number(key: str, default: float) -> float:
        value = kept.get(key)
        return min(max(float(value), 0.0), 1.0) if isinstance(value, int | float) else default

    def names(key: str) -> frozenset[str]:
        value = kept.get(key)
        return frozenset(str(one) for one in value) if isinstance(value, list | tuple) else frozenset()

    weights = Weights(
        number(WEIGHTS[TASTE], usual.weights.taste), number(WEIGHTS[HABIT], usual.weights.habit),
        number(WEIGHTS[POPULARITY], usual.weights.popularity), number(WEIGHTS[TREND], usual.weights.trend),
        number(WEIGHTS[ELSEWHERE], usual.weights.scenario),
    )  # fmt: skip
    scenarios = names(SCENARIO) & {item.scenario for item in engine.items}
    bands = names(PRICE) & frozenset(str(one) for one in PriceBand)
    return Options(weights, number(MIX, usual.mix), number(VARY, usual.diversity), scenarios, bands, kept.get(SEEN) is True)
