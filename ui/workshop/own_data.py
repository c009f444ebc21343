"""Data of one's own: a file or a path, what its columns hold, a name, and a build in a process of its own."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from persona_core.errors import PersonaError, SourceError, readable_disk_errors
from persona_core.workspace import Workspace
from ui import building, resources, trouble
from ui.look import plain
from ui.workshop import elsewhere, guesses, models, uploads
from ui.workshop.actions import READ_ONLY
from ui.workshop.uploads import Looked

UPLOAD, PATH = "Upload a file", "Name a path on this machine"
NOTHING = ""
_BUILT = "_own_built"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be built from."""

    reviews: Looked
    items: Looked | None
    uploaded: bool
    columns: dict[str, str] = field(default_factory=dict)
    scale: str = "5"
    scenario: str = ""

    @property
    def missing(self) -> list[str]:
        if not self.reviews.is_table:
            return []
        return [guesses.REVIEWS[role].lower() for role in guesses.NEEDED if role not in self.columns]


def draw(place: Workspace) -> None:
    st.header("Bring your own data", anchor=False)
    if place.settings.readonly:
        st.caption(f":material/lock: {READ_ONLY}")
        return
    _neighbours()
    st.markdown(
        "Reviews that people wrote: who, about what, when; with a rating and their words. Amazon Reviews, Yelp and MovieLens "
        "are recognised; of any other table, say which column is what."
    )
    way = st.segmented_control("Where it is", (UPLOAD, PATH), default=UPLOAD, required=True, key="own_way")
    try:
        reviews, items = _uploaded() if way != PATH else _named()
        if reviews is not None:
            _ask(Wanted(reviews, items, uploaded=way != PATH))
    except PersonaError as error:
        _refuse(error)


def _refuse(error: PersonaError) -> None:
    """Calmly: the file is what it is."""
    with st.container(border=True, key="own_refused"):
        st.markdown(":material/info: **This cannot be used as it is**")
        st.text("\n".join(part for part in (error.what, error.why) if part))
        if error.mend:
            plain(f"What helps: {error.mend}.", kind="byline", key="own_refused")


# The data ----------------------------------------------------------------------------------------------------------------


def _uploaded() -> tuple[Looked | None, Looked | None]:
    bounds = f"At most {uploads.MOST_MB} MB and {uploads.MOST_ROWS:,} rows: CSV, TSV, JSON lines or Parquet, also gzipped."
    given = st.file_uploader(
        "A file of reviews", type=list(uploads.TYPES), key="own_file", max_upload_size=uploads.MOST_MB, help=bounds
    )
    st.caption(f"{bounds} Larger files: name their path, or use the command line.")
    if given is None:
        return None, None
    reviews = _good(uploads.looked_at(uploads.keep(given, "reviews"), bounded=True))
    with st.expander("A file about the items, if there is one"):
        about = st.file_uploader("A file about the items", type=list(uploads.TYPES), key="own_items", max_upload_size=uploads.MOST_MB)
    items = _good(uploads.looked_at(uploads.keep(about, "items"), bounded=True)) if about is not None else None
    return reviews, items


def _named() -> tuple[Looked | None, Looked | None]:
    named = st.text_input("A file or a folder", key="own_path", placeholder="/home/me/reviews.csv", max_chars=1_000)
    with st.expander("A file about the items, if there is one"):
        about = st.text_input("A file about the items", key="own_items_path", placeholder="/home/me/items.csv", max_chars=1_000)
    if not named.strip():
        return None, None
    reviews = _good(uploads.looked_at(_path(named), bounded=False))
    return reviews, _good(uploads.looked_at(_path(about), bounded=False)) if about.strip() else None


def _path(named: str) -> Path:
    with contextlib.suppress(RuntimeError, ValueError, OSError):
        return Path(named.strip()).expanduser().resolve()
    raise SourceError("This is no path.", mend="write it as /home/me/reviews.csv")


def _good(looked: Looked | PersonaError) -> Looked:
    if isinstance(looked, PersonaError):
        raise looked
    return looked


# What the columns hold ---------------------------------------------------------------------------------------------------


def _ask(wanted: Wanted) -> None:
    _show(wanted.reviews, "reviews")
    columns = _mapped(wanted.reviews, guesses.REVIEWS) if wanted.reviews.is_table else {}
    if wanted.items is not None and wanted.reviews.is_table:
        _show(wanted.items, "items")
        columns |= _mapped(wanted.items, guesses.ITEMS)
    scale = _scale(wanted.reviews, columns.get("rating"))
    left, right = st.columns(2, gap="large")
    with left:
        name = st.text_input("A name for this workspace", key="own_name", placeholder="my-shop", max_chars=40).strip()
    with right:
        scenario = st.text_input("What these things are", key="own_scenario", placeholder="books", max_chars=40).strip()
    asked = Wanted(wanted.reviews, wanted.items, wanted.uploaded, columns, scale, scenario)
    fault = _fault(asked, name)
    pressed = st.button("Build it", type="primary", icon=":material/build:", key="own_build", disabled=bool(fault))
    if fault:
        st.caption(fault)
    elif pressed:
        _build(asked, name)


def _show(looked: Looked, role: str) -> None:
    st.markdown(":material/check: Recognised." if not looked.is_table else "**The first rows**")
    plain(
        f"This is {looked.says}." if not looked.is_table else f"{len(looked.columns)} columns", kind="byline", key=f"own_says_{role}"
    )
    if looked.rows:
        frame = pd.DataFrame(looked.rows, columns=list(looked.columns), dtype=str)
        config: Any = {name: st.column_config.TextColumn(name) for name in looked.columns}
        st.dataframe(frame, hide_index=True, width="stretch", column_config=config, key=f"own_preview_{role}")


def _mapped(looked: Looked, roles: dict[str, str]) -> dict[str, str]:
    """Which column is what; a choice that is not among the file's columns counts as none."""
    best = guesses.guessed(looked.columns, list(roles))
    options = [NOTHING, *looked.columns]
    found: dict[str, str] = {}
    with st.container(horizontal=True, key=f"own_columns_{'items' if 'item.item' in roles else 'reviews'}"):
        for role, label in roles.items():
            key = f"own_{looked.path.name}_{role}"
            if st.session_state.get(key) not in (None, *options):
                del st.session_state[key]
            chosen = st.selectbox(
                f"{label} (needed)" if role in guesses.NEEDED else label,
                options,
                index=options.index(best.get(role, NOTHING)),
                format_func=lambda column: column or "not in this file",
                key=key,
                width=220,
            )
            if chosen in looked.columns:
                found[role] = str(chosen)
    return found


def _scale(looked: Looked, rating: str | None) -> str:
    if rating is None:
        return "5"
    guess = guesses.scale_for((looked.highest or {}).get(rating))
    scales = list(guesses.SCALES)
    chosen = st.segmented_control(
        "The ratings go", scales, default=guess, required=True, format_func=lambda one: guesses.SCALES[one], key=f"own_scale_{rating}"
    )
    return str(chosen) if chosen in scales else guess


def _fault(wanted: Wanted, name: str) -> str:
    """Why it cannot be built yet, in words; empty where it can."""
    if wanted.missing:
        return f"Say which column holds: {', '.join(wanted.missing)}."
    if len(set(wanted.columns.values())) < len(wanted.columns) and wanted.items is None:
        return "One column is named for two things; choose another for one of them."
    if not name:
        return "Give it a name, and it can be built."
    if not elsewhere.NAME.fullmatch(name):
        return "A name is of small letters, digits and dashes, 40 at most."
    place = elsewhere.beside(name)
    if place is None or place.root.exists():
        return "There is something of that name already; choose another."
    return ""


# Building ----------------------------------------------------------------------------------------------------------------


def words_for(wanted: Wanted, reviews: Path, items: Path | None) -> tuple[str, ...]:
    """The words of the command line that builds it."""
    words = ["build", "--from", str(reviews)]
    if not wanted.reviews.is_table:
        words += ["--reader", wanted.reviews.reader]
    if items is not None:
        words += ["--items", str(items)]
    for role, column in wanted.columns.items():
        words += ["--map", f"{role}={column}"]
    ends = guesses.ENDS.get(wanted.scale, ())
    words += ["--rating-scale", *ends] if ends else []
    return (*words, *(("--scenario", wanted.scenario) if wanted.scenario else ()))


def _build(wanted: Wanted, name: str) -> None:
    place = elsewhere.beside(name)
    if place is None:
        return
    with readable_disk_errors(place.root):
        place.root.mkdir(parents=True)  # whoever comes second is told that the name is taken
        reviews, items = wanted.reviews.path, wanted.items.path if wanted.items else None
        if wanted.uploaded:
            reviews = uploads.moved(reviews, place.root / "uploads", "reviews")
            items = uploads.moved(items, place.root / "uploads", "items") if items else None
        models.remember(place, models.now(elsewhere.home().settings.ollama))
    resources.build_job(str(place.root)).start(*words_for(wanted, reviews, items))
    st.session_state[_BUILT] = name
    st.rerun()


def _neighbours() -> None:
    """Other workspaces: what is being built there, how to open each, and a look at it here and now."""
    now = elsewhere.chosen_workspace()
    if now is not None:
        with st.container(horizontal=True, vertical_alignment="center", key="own_now"):
            plain(f"You are looking at {now.root.name}.", kind="byline", key="own_now")
            st.button("Back to where the app began", icon=":material/undo:", key="own_back", on_click=elsewhere.look_at, args=("",))
    found = [place for place in _worth_showing() if now is None or place.root != now.root]
    if found:
        st.subheader("Beside this one", anchor=False)
    for place in found:
        _neighbour(place)


def _worth_showing() -> list[Workspace]:
    own = st.session_state.get(_BUILT)
    fresh = elsewhere.beside(own) if isinstance(own, str) else None
    found = elsewhere.neighbours()
    return found if fresh is None or fresh in found or not fresh.root.exists() else [fresh, *found]


def _neighbour(place: Workspace) -> None:
    job = resources.build_job(str(place.root))
    name = place.root.name
    if job.running:
        building.watch(job, title=f"Building {name}")
        return
    with st.container(border=True, key=f"own_place_{name}"):
        if job.error is not None:
            trouble.show(job.error)
            _again(place)
            return
        ready = (place.root / "ranking" / "current").is_file()
        plain(name if ready else f"{name}: not finished yet", kind="scenario", key=f"own_{name}")
        if not ready:
            _again(place)
            return
        st.code(f"PERSONA_WORKSPACE={place.root} streamlit run app.py", language=None, wrap_lines=True)
        st.button("Look at it here", icon=":material/visibility:", key=f"own_look_{name}", on_click=elsewhere.look_at, args=(name,))


def _again(place: Workspace) -> None:
    """Going on, where it is known with what; taking it away, where this session began it and nothing came of it."""
    name = place.root.name
    with st.container(horizontal=True):
        if _has_source(place) and st.button("Go on", icon=":material/play_circle:", key=f"own_again_{name}"):
            resources.build_job(str(place.root)).start("build")
            st.rerun()
        begun_here = st.session_state.get(_BUILT) == name and not (place.root / "catalog" / "current").exists()
        if begun_here and st.button("Take it away", icon=":material/delete:", key=f"own_away_{name}", help="Nothing was built of it."):
            shutil.rmtree(place.root, ignore_errors=True)
            resources.build_job.clear()
            st.rerun()


def _has_source(place: Workspace) -> bool:
    try:
        return place.settings.source is not None
    except PersonaError:
        return False
