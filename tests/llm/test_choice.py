"""Which models work: one, or several that the settings name, as far as a server has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_core.errors import ModelUnavailable
from persona_core.llm import choice
from persona_core.llm.choice import NONE, model_for, opened_models, reachable_model, reachable_models
from persona_core.settings import OllamaSettings, ProfileSettings, Settings
from persona_core.workspace import Workspace
from tests.support.ollama_stand_in import DIGEST, OllamaStandIn


@pytest.fixture(autouse=True)
def nothing_believed() -> None:
    choice._looked.cache_clear()


def test_of_several_names_those_that_are_there_are_asked() -> None:
    with OllamaStandIn(models=("one:1b", "two:2b")) as server:
        settings = OllamaSettings(host=server.url, model="one:1b")
        assert reachable_model(settings) == f"one:1b@{DIGEST[:12]}"
        assert [name.partition("@")[0] for name in reachable_models(settings, ("two:2b", "gone:7b", "one:1b"))] == ["two:2b", "one:1b"]
        assert reachable_models(settings.model_copy(update={"use": "never"}), ("one:1b",)) == []
        assert reachable_model(settings.of("gone:7b")) == NONE


def test_who_writes_is_named_once_each_or_is_the_one_that_builds() -> None:
    assert Settings().writers == (Settings().ollama.model,)
    assert Settings(profiles=ProfileSettings(models=" a:1b, b:2b ,a:1b,")).writers == ("a:1b", "b:2b")


def test_several_are_opened_under_one_name_and_each_answers_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with OllamaStandIn(models=("one:1b", "two:2b")) as server:
        monkeypatch.setenv("PERSONA_OLLAMA_HOST", server.url)
        place = Workspace.at(tmp_path)
        wanted = model_for(place, "ways", ("one:1b", "two:2b"))
        models = opened_models(place, "ways", wanted, 1.0)
        assert [model.name for model in models] == ["one:1b", "two:2b"]
        assert models[0]._options(0)["temperature"] == 1.0
        assert opened_models(place, "ways", NONE) == []
    choice._looked.cache_clear()
    with pytest.raises(ModelUnavailable, match="one:1b"):
        opened_models(place, "ways", wanted)
