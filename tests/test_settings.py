"""Settings come from defaults, then the workspace's file, then the environment; what is not understood is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core import settings
from persona_core.errors import SettingsError
from persona_core.settings import SourceSettings, load, save_source


def test_defaults_hold_where_nothing_is_said(tmp_path: Path) -> None:
    assert load(tmp_path, {}) == settings.Settings()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "workspace.toml").write_text('seed = 3\nworkers = 5\n[ollama]\nmodel = "a"\nhost = "http://one"\n')
    found = load(tmp_path, {"PERSONA_SEED": "4", "PERSONA_OLLAMA_MODEL": "b"})
    assert (found.seed, found.workers, found.ollama.model, found.ollama.host) == (4, 5, "b", "http://one")


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("sede = 3\n", ["sede", "not a setting"]),
        ("[ollama]\nmodle = 'x'\n", ["ollama.modle", "not a setting"]),
        ("seed = -1\n", ["seed", "greater than or equal to 0", "-1"]),
        ("workers = 'many'\n", ["workers", "'many'"]),
        ("[source]\nreader='table'\npath='x'\nrating_scale=[5, 1]\n", ["rating_scale", "lowest rating comes first"]),
    ],
)
def test_what_the_file_should_not_say_is_named(content: str, names: list[str], tmp_path: Path) -> None:
    (tmp_path / "workspace.toml").write_text(content)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, {})
    for name in [*names, "workspace.toml"]:
        assert name in str(caught.value)


def test_broken_toml_names_the_file_and_the_line(tmp_path: Path) -> None:
    (tmp_path / "workspace.toml").write_text("seed = \n")
    with pytest.raises(SettingsError, match="not valid TOML") as caught:
        load(tmp_path, {})
    assert "line 1" in caught.value.why


def test_an_unknown_variable_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="PERSONA_SEDE") as caught:
        load(tmp_path, {"PERSONA_SEDE": "1"})
    assert "PERSONA_SEED" in caught.value.why


def test_a_bad_value_names_its_variable(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, {"PERSONA_WORKERS": "0"})
    assert "PERSONA_WORKERS" in caught.value.why


def test_every_variable_that_is_offered_is_understood(tmp_path: Path) -> None:
    values = {"seed": "1", "workers": "2", "readonly": "true", "splits": "0.2"}
    values |= {"timeout_s": "30", "parallel": "3", "context": "4096", "answer_tokens": "512", "use": "never"}
    values |= dict.fromkeys(("mix", "half_life_days", "taste", "habit", "popularity", "trend", "scenario", "diversity"), "0.3")
    values |= {"popularity_half_life_days": "9", "teacher": "judge", "shipped": "false", "recent": "3", "people": "5"}
    for name, path in settings.environment_names().items():
        text = values.get(path[0], values.get(path[-1], "text"))
        found = load(tmp_path, {name: text})
        assert found != settings.Settings() or text in ("1", "2"), name


def test_saving_the_source_leaves_every_other_line_alone(tmp_path: Path) -> None:
    file = tmp_path / "workspace.toml"
    old_source = '[source]\nreader = "old"\npath = "x"\n[source.columns]\nuser = "u"\n'
    file.write_text(f'# mine\nseed = 3\n\n{old_source}\n[ollama]\nmodel = "m" # keep\n')
    save_source(tmp_path, SourceSettings(reader="demo", path=Path("/data")))
    text = file.read_text()
    assert "# mine\nseed = 3\n" in text
    assert 'model = "m" # keep' in text
    assert "old" not in text
    assert load(tmp_path, {}).source == SourceSettings(reader="demo", path=Path("/data"))


names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)


@given(names, names, st.integers(1, 9), st.booleans())
def test_any_source_reads_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, column: str, scenario: str, k: int, keep: bool
) -> None:
    folder = tmp_path_factory.mktemp("settings")
    source = SourceSettings(
        reader="table", path=Path("/a b/ü.csv"), scenario=scenario, columns={"user": column}, rating_scale=(0.0, 10.0),
        k_core=k, keep_unreviewed=keep,
    )  # fmt: skip
    save_source(folder, source)
    assert load(folder, {}).source == source
