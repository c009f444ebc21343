"""What deploy/compose.yaml and its image promise, held by reading them; and Docker's own word on the file, where there is Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import Any

import pytest

from persona_core import __version__
from persona_core.settings import environment_names
from tests.support.compose import FILE, ROOT, SECRETS, compose, services

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
LASTING = {name: one for name, one in services().items() if one.get("restart") != "no"}
ONCE = {name: one for name, one in services().items() if name not in LASTING}


def named(found: dict[str, dict[str, Any]]) -> Any:
    return pytest.mark.parametrize(("name", "service"), found.items(), ids=found)


# Docker's own word ---------------------------------------------------------------------------------------------------------


def why_no_docker() -> str:
    if shutil.which("docker") is None:
        return "there is no `docker` here"
    done = subprocess.run(["docker", "compose", "version"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else "this `docker` has no `compose`"


@pytest.mark.skipif(bool(why_no_docker()), reason=why_no_docker())
def test_docker_understands_it_as_we_do() -> None:
    command = ["docker", "compose", "-f", str(FILE), "--profile", "*", "config", "--format", "json"]
    done = subprocess.run(command, env=os.environ | SECRETS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no warnings either
    theirs, ours = json.loads(done.stdout)["services"], services()
    assert theirs.keys() == ours.keys()
    for name, service in ours.items():
        for key in ("image", "command"):
            assert json.loads(json.dumps(theirs[name][key]).replace("$$", "$")) == service[key], name
        said = {key: str(value) for key, value in service.get("environment", {}).items()}
        assert {key: value.replace("$$", "$") for key, value in (theirs[name].get("environment") or {}).items()} == said
        if "disable" not in service["healthcheck"]:
            assert theirs[name]["healthcheck"]["test"] == service["healthcheck"]["test"]


@pytest.mark.skipif(bool(why_no_docker()), reason=why_no_docker())
def test_docker_starts_nothing_without_a_password() -> None:
    without = {name: value for name, value in os.environ.items() if name not in SECRETS}
    done = subprocess.run(["docker", "compose", "-f", str(FILE), "config"], env=without, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "set DATABASE_PASSWORD" in done.stderr


# What is in it -------------------------------------------------------------------------------------------------------------


def test_without_a_password_it_is_refused() -> None:
    with pytest.raises(KeyError, match="set DATABASE_PASSWORD"):
        compose({})


def test_the_pieces_are_there() -> None:
    assert {"app", "study", "chroma", "postgres", "ollama"} == LASTING.keys()
    assert {"build", "doctor", "publish", "fetch", "pull"} == ONCE.keys()
    assert {name for name, one in services().items() if not one.get("profiles")} == {"app", "chroma", "postgres"}


@named(LASTING)
def test_what_lasts_says_whether_it_is_well_and_comes_back(name: str, service: dict[str, Any]) -> None:
    check = service["healthcheck"]
    assert check["test"][0] == "CMD", "no shell between"
    assert {"interval", "timeout", "start_period", "retries"} <= check.keys()
    assert service["restart"] == "unless-stopped"


@named(ONCE)
def test_what_runs_once_is_started_by_hand(name: str, service: dict[str, Any]) -> None:
    assert service["profiles"] == ["once"]
    assert service["healthcheck"] == {"disable": True}
    assert "ports" not in service


@named(services())
def test_no_port_is_open_to_the_world(name: str, service: dict[str, Any]) -> None:
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in service.get("ports", ()))
    assert service.get("network_mode") is None
    if name not in ("app", "study"):
        assert "ports" not in service


@named(services())
def test_nobody_who_lasts_reaches_the_internet(name: str, service: dict[str, Any]) -> None:
    networks = compose()["networks"]
    assert networks["inside"]["internal"] is True
    assert networks["door"]["driver_opts"] == {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    allowed = (
        {"inside", "door"}
        if name in ("app", "study")
        else {"inside"}
        if name not in ("publish", "fetch", "pull")
        else {"inside", "outside"}
    )
    assert set(service["networks"]) <= allowed


@named(services())
def test_every_setting_is_one_that_is_understood(name: str, service: dict[str, Any]) -> None:
    ours = {key for key in service.get("environment", {}) if key.startswith("PERSONA_")}
    assert ours <= environment_names().keys() | {"PERSONA_WORKSPACE"}


def test_every_volume_is_declared_and_used() -> None:
    mounted = [volume.split(":")[0] for one in services().values() for volume in one.get("volumes", ())]
    assert {one for one in mounted if not one.startswith((".", "/"))} == compose()["volumes"].keys()


@named(LASTING)
def test_what_must_outlive_a_container_lies_in_a_volume(name: str, service: dict[str, Any]) -> None:
    homes = {
        "app": "/workspace",
        "study": "/workspace",
        "chroma": "/chroma",
        "postgres": "/var/lib/postgresql/data",
        "ollama": "/root/.ollama",
    }
    assert [volume.split(":")[1] for volume in service["volumes"]] == [homes[name]]


@named(services())
def test_ours_may_do_little(name: str, service: dict[str, Any]) -> None:
    if service["image"].startswith("personascope"):
        assert (service["read_only"], service["cap_drop"], service["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
        assert "user" not in service, "the image's own user is the one"


def test_whoever_is_waited_for_is_there() -> None:
    for name, service in services().items():
        for other, condition in service.get("depends_on", {}).items():
            assert condition["condition"] == "service_healthy"
            assert other in LASTING, name
            if services()[other].get("profiles"):
                assert condition["required"] is False


# Secrets -------------------------------------------------------------------------------------------------------------------


def test_no_secret_stands_in_the_file() -> None:
    told = {"DATABASE_PASSWORD": "first", "DESK_TOKEN": "second"}
    for secret, name in (("first", "DATABASE_PASSWORD"), ("second", "DESK_TOKEN")):
        holders = {key for one in services(told).values() for key, value in one.get("environment", {}).items() if secret in str(value)}
        assert holders == {"DATABASE_PASSWORD": {"PGPASSWORD", "POSTGRES_PASSWORD"}, "DESK_TOKEN": {"PERSONA_STUDY_DESK_TOKEN"}}[name]
    for service in services(told).values():
        assert not re.search("first|second", json.dumps(service.get("command")))


def test_the_example_names_every_variable_with_what_holds_without_it() -> None:
    given = dict(
        line.split("=", 1) for line in (FILE.parent / ".env.example").read_text().splitlines() if "=" in line and line[0] != "#"
    )
    asked = dict(re.findall(r"\$\{([A-Z_]+)(?::[-?])?([^}]*)\}", FILE.read_text("utf-8")))
    assert given.keys() == asked.keys()
    assert {name: value for name, value in given.items() if name != "DATABASE_PASSWORD"} == {
        name: value for name, value in asked.items() if name != "DATABASE_PASSWORD"
    }
    assert "deploy/.env" in (ROOT / ".gitignore").read_text().split()


# Versions ------------------------------------------------------------------------------------------------------------------


def test_every_image_is_pinned() -> None:
    images = {one["image"] for one in services().values()} | set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert all(re.search(r":\d+\.\d+\.?\d*(-[a-z]+)*$", image) for image in images), images
    assert f"personascope:{__version__}" in images
    assert services()["ollama"]["image"] == services()["pull"]["image"]


def test_the_index_server_is_of_the_same_image_as_who_asks_it() -> None:
    """So it has the same Chroma, whatever requirements.txt pins."""
    ours = [name for name, one in services().items() if one["image"].startswith("personascope")]
    assert sorted(ours) == ["app", "build", "chroma", "doctor", "fetch", "publish", "study"]
    assert len({json.dumps(services()[name]["build"]) for name in ours}) == 1


def test_the_image_installs_what_is_pinned_and_nothing_else() -> None:
    installs = re.findall(r"pip install ([^&\\\n]+)", DOCKERFILE)
    assert [one.strip() for one in installs] == [
        '${TORCH_INDEX:+--index-url "$TORCH_INDEX"} -r /tmp/torch.txt', "-r requirements.txt -r deploy/requirements.txt",
    ]  # fmt: skip
    assert "grep '^torch==' requirements.txt > /tmp/torch.txt" in DOCKERFILE
    pins = {line for name in ("requirements-dev.txt", "requirements.txt") for line in (ROOT / name).read_text().splitlines()}
    for line in (ROOT / "deploy" / "requirements.txt").read_text().splitlines():
        assert line.startswith("#") or line in pins, line


def test_the_image_copies_what_is_there_and_what_the_app_needs() -> None:
    copied = re.findall(r"^COPY (\S+) \S+$", DOCKERFILE, re.MULTILINE)
    assert all((ROOT / one).exists() for one in copied)
    assert {"app.py", "app_pages", "ui", "persona_core", "data/demo", ".streamlit", "requirements.txt"} <= set(copied)
    sent = {line[1:] for line in (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {one.rstrip("/") for one in sent} == {"deploy/requirements.txt" if one == "deploy/" else one for one in copied}


def test_the_image_does_not_run_as_root() -> None:
    last = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1]
    assert f"useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin {last}" in DOCKERFILE
    assert DOCKERFILE.index(f"USER {last}") < DOCKERFILE.index("\nCMD")


def test_the_image_alone_does_what_the_service_does() -> None:
    command = json.loads(re.findall(r"^CMD (.*)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)[-1])
    check = json.loads(re.findall(r"^    CMD (.*)$", DOCKERFILE, re.MULTILINE)[0])
    assert (command, ["CMD", *check]) == (services()["app"]["command"], services()["app"]["healthcheck"]["test"])
