"""The one settings object: defaults, then the workspace's `workspace.toml`, then `PERSONA_…` from the environment."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from persona_core.errors import SettingsError
from persona_core.files import write_beside
from persona_core.toml import NotToml, table_of

REPOSITORY = Path(__file__).resolve().parent.parent
DEMO_DATA = REPOSITORY / "data" / "demo"
DEFAULT_WORKSPACE = REPOSITORY / "data" / "workspaces" / "demo"
FILE_NAME = "workspace.toml"
PREFIX = "PERSONA_"


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceSettings(Section):
    """Where the catalogue comes from and how to read it."""

    reader: str
    path: Path
    items: Path | None = None
    users: Path | None = None
    scenario: str | None = None
    columns: dict[str, str] = Field(default={}, max_length=40)
    rating_scale: tuple[float, float] | None = None
    k_core: int = Field(default=1, ge=1)
    keep_unreviewed: bool = False

    @field_validator("rating_scale")
    @classmethod
    def _low_before_high(cls, scale: tuple[float, float] | None) -> tuple[float, float] | None:
        if scale is not None and not -1e9 < scale[0] < scale[1] < 1e9:
            raise ValueError("the lowest rating comes first, then the highest")
        return scale


class SplitSettings(Section):
    """Which shares of time the point-in-time split keeps for validation and for the test."""

    valid_share: float = Field(default=0.1, gt=0, lt=0.5)
    test_share: float = Field(default=0.1, gt=0, lt=0.5)


class OllamaSettings(Section):
    """The local model servers; nothing else is ever asked over the network."""

    host: str = "http://127.0.0.1:11434"
    """One address, or several with commas between them: they share the work."""
    model: str = "qwen3:4b"
    timeout_s: float = Field(default=120.0, gt=0)
    parallel: int = Field(default=2, ge=1, le=64)
    """How many requests one host gets at once."""
    context: int = Field(default=8192, ge=512)
    answer_tokens: int = Field(default=1024, ge=16)
    use: Literal["auto", "never"] = "auto"

    @model_validator(mode="after")
    def _answer_leaves_room_to_ask(self) -> Self:
        if self.answer_tokens >= self.context:
            raise ValueError(f"answer_tokens must be smaller than context, which is {self.context}")
        return self

    @property
    def hosts(self) -> tuple[str, ...]:
        """Each named host once, in the order given."""
        named = (part.strip().rstrip("/") for part in self.host.split(","))
        return tuple(dict.fromkeys(part for part in named if part)) or (type(self).model_fields["host"].default,)

    def of(self, model: str) -> OllamaSettings:
        """The same servers, asked for another model."""
        return self.model_copy(update={"model": model})


class ChromaSettings(Section):
    """A Chroma server's address; empty means the index lives in the workspace."""

    url: str = ""


class ProfileSettings(Section):
    """How a history becomes a profile."""

    recent: int = Field(default=10, ge=0, le=1000)
    """So many of somebody's newest visits stay raw beside the profile, but never more than half of all."""
    models: str = ""
    """Models of the same servers that write other profiles of people, with commas between them; empty: the one that builds."""
    people: int = Field(default=60, ge=0)
    """Of so many people they are asked for some; models are slow."""


class RankingSettings(Section):
    """How a profile is weighed and how the parts of a score are; the defaults were chosen on validation (benchmarks/ranking.py)."""

    mix: float = Field(default=0.5, ge=0, le=1)
    """How much a profile's words weigh beside its history."""
    half_life_days: float = Field(default=365.0, gt=0)
    """After so long, what somebody did counts half."""
    taste: float = Field(default=0.5, ge=0)
    habit: float = Field(default=0.4, ge=0)
    popularity: float = Field(default=0.1, ge=0)
    trend: float = Field(default=0.05, ge=0)
    scenario: float = Field(default=0.2, ge=0)
    diversity: float = Field(default=0.0, ge=0, le=1)
    popularity_half_life_days: float = Field(default=30.0, gt=0)
    teacher: Literal["hindsight", "judge"] = "hindsight"
    """Who says, when the alignment is trained, which of an item's personas somebody turned out to be: the nearest one, or a model."""


class StudySettings(Section):
    """A study that this app serves to participants; where none is named, it is the app that everybody knows."""

    file: Path | None = None
    database: str = ""
    """Its address, as SQLAlchemy writes it; empty: a SQLite file in the workspace."""
    desk_token: str = ""
    """Opens the Study desk; without one it stays locked. Belongs into the environment, not into a file."""


class Settings(Section):
    seed: int = Field(default=7, ge=0)
    workers: int = Field(default=2, ge=1, le=256)
    readonly: bool = False
    shipped: bool = True
    """Whether what ships ready made with the demo world is taken where the same would come out; otherwise it is made anew."""
    source: SourceSettings | None = None
    splits: SplitSettings = SplitSettings()
    ollama: OllamaSettings = OllamaSettings()
    chroma: ChromaSettings = ChromaSettings()
    ranking: RankingSettings = RankingSettings()
    profiles: ProfileSettings = ProfileSettings()
    study: StudySettings = StudySettings()

    @property
    def writers(self) -> tuple[str, ...]:
        """The models that write other profiles, each once, in the order given."""
        named = (part.strip() for part in self.profiles.models.split(","))
        return tuple(dict.fromkeys(part for part in named if part)) or (self.ollama.model,)


def load(workspace: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that hold in `workspace`; anything unknown or impossible is refused by name."""
    file = workspace / FILE_NAME
    values = _read_file(file)
    origin = {_dotted(path): f"{file}" for path in _leaves(values)}
    for variable, text in (os.environ if environment is None else environment).items():
        if variable.startswith(PREFIX) and variable != "PERSONA_WORKSPACE":
            path = _setting_named(variable)
            _put(values, path, text)
            origin[_dotted(path)] = variable
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _refusal(error, origin, file) from error


def default_workspace(environment: Mapping[str, str] | None = None) -> Path:
    """The workspace that is meant when nobody names one."""
    chosen = (os.environ if environment is None else environment).get("PERSONA_WORKSPACE")
    return Path(chosen).expanduser() if chosen else DEFAULT_WORKSPACE


def environment_names() -> dict[str, tuple[str, ...]]:
    """Every environment variable that is understood, with the setting it stands for."""
    names: dict[str, tuple[str, ...]] = {}
    for field, info in Settings.model_fields.items():
        if field == "source":
            continue
        section = info.annotation
        if isinstance(section, type) and issubclass(section, Section):
            for key in section.model_fields:
                names[f"{PREFIX}{field}_{key}".upper()] = (field, key)
        else:
            names[f"{PREFIX}{field}".upper()] = (field,)
    return names


def save_source(workspace: Path, source: SourceSettings) -> None:
    """Writes `[source]` into workspace.toml and leaves every other line of it alone."""
    kept = settings_without_source(workspace).splitlines()
    text = "\n".join([*kept, *([""] if kept and kept[-1].strip() else []), *_source_lines(source), ""])
    write_beside(workspace / FILE_NAME, text.encode())


def settings_without_source(workspace: Path) -> str:
    """Every line of the workspace's settings that is not about its source."""
    file = workspace / FILE_NAME
    kept: list[str] = []
    inside = False
    for line in file.read_text("utf-8").splitlines() if file.exists() else []:
        if line.lstrip().startswith("["):
            inside = line.strip().startswith(("[source]", "[source."))
        if not inside:
            kept.append(line)
    return "\n".join(kept)


SHARED = ("seed", "splits", "ranking", "profiles")
"""What says how a workspace is read, wherever it is read; the rest says of one machine what it reaches."""


def shared_settings(settings: Settings) -> str:
    """These settings as they hold now, as the lines of a workspace.toml."""
    values = settings.model_dump(mode="json", include=set(SHARED), exclude_defaults=True)
    lines = [f"{key} = {_toml(value)}" for key, value in values.items() if not isinstance(value, dict)]
    for name, section in values.items():
        if isinstance(section, dict):
            lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in section.items())]
    return "\n".join([*lines, ""])


def _source_lines(source: SourceSettings) -> list[str]:
    values = source.model_dump(mode="json", exclude_defaults=True)
    columns = values.pop("columns", {})
    lines = ["[source]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    if columns:
        lines += ["", "[source.columns]", *(f"{_toml(key)} = {_toml(value)}" for key, value in columns.items())]
    return lines


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    if isinstance(value, int | float):
        return str(value)
    escaped = "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or c in '"\\\x7f' else c for c in str(value))
    return f'"{escaped}"'


def _read_file(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        return table_of(file)
    except NotToml as error:
        raise SettingsError(
            f"{file} is not valid TOML.", why=f"The parser says: {error}.", mend=f"open {file} and correct that line"
        ) from error


def _setting_named(variable: str) -> tuple[str, ...]:
    names = environment_names()
    if variable in names:
        return names[variable]
    near = difflib.get_close_matches(variable, names, n=1)
    raise SettingsError(
        f"{variable} is not a setting.",
        why=f"Did you mean {near[0]}?" if near else f"There are: {', '.join(sorted(names))}.",
        mend=f"unset {variable}" + (f", or set {near[0]}" if near else ""),
    )


def _put(values: dict[str, Any], path: tuple[str, ...], text: str) -> None:
    for key in path[:-1]:
        values = values.setdefault(key, {})
    values[path[-1]] = text


def _leaves(values: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in values.items():
        path = (*prefix, key)
        found += _leaves(value, path) if isinstance(value, Mapping) else [path]
    return found


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(str(key) for key in path)


def _refusal(error: ValidationError, origin: Mapping[str, str], file: Path) -> SettingsError:
    complaints = []
    for trouble in error.errors():
        name = _dotted(trouble["loc"])
        where = origin.get(name, str(file))
        if trouble["type"] == "extra_forbidden":
            complaints.append(f"{name} (in {where}) is not a setting")
        else:
            complaints.append(f"{name} (in {where}): {trouble['msg'].lower()}, but it is {trouble['input']!r}")
    return SettingsError("A setting is not understood.", why="; ".join(complaints) + ".", mend="correct or remove what is named above")
