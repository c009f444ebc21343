"""The services of deploy/compose.yaml on the loopback, each by its own command and environment, without Docker.

Only what Docker would give a container is put in its place: hosts, ports, folders. Ollama is a stand-in; the image's entry of
PostgreSQL, which makes the database, is done by hand as it does it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import postgres
from tests.support.compose import ROOT, SECRETS, image_environment, services
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.server import free_port


class OutsideDocker:
    """Hosts, ports and folders of a container in the words of this machine; nothing else of a command is changed."""

    def __init__(self, places: Mapping[str, str]) -> None:
        """The words of the file, and what they are here: `chroma:8000`, `/workspace` and so on; the longer ones first."""
        self.places = dict(sorted(places.items(), key=lambda one: -len(one[0])))

    def said(self, text: str) -> str:
        """All at once: what was put in for one word is not looked at for another."""
        return re.sub("|".join(map(re.escape, self.places)), lambda found: self.places[found[0]], text)

    def words(self, words: list[str]) -> list[str]:
        return [sys.executable if word == "python" else self.said(word) for word in words]

    def environment(self, service: Mapping[str, Any]) -> dict[str, str]:
        return {name: self.said(str(value)) for name, value in service.get("environment", {}).items()}


def healthy(check: list[str], environment: Mapping[str, str], process: subprocess.Popen[bytes], patience_s: float = 180.0) -> bool:
    """Whether a service's own check passes in time."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until and process.poll() is None:
        if subprocess.run(check, env=dict(environment), capture_output=True, check=False).returncode == 0:
            return True
        time.sleep(0.2)
    return False


class Deployment:
    """The services of the file, each with its place on this machine."""

    def __init__(self, folder: Path, ollama: OllamaStandIn, study: str = "study.toml") -> None:
        self.folder, self.ollama = folder, ollama
        self.file = services(SECRETS | {"STUDY": study})
        self.ports = {name: free_port() for name in ("app", "study", "chroma", "postgres")}
        self.home: dict[str, Path] = {}
        for name in ("workspace", "chroma", "artefacts"):
            self.home[name] = folder / name
            self.home[name].mkdir()
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def here(self, name: str) -> OutsideDocker:
        own = self.ports.get(name, 0)
        return OutsideDocker({
            "http://chroma:8000": f"http://127.0.0.1:{self.ports['chroma']}", "http://ollama:11434": self.ollama.url,
            "@postgres:5432": f"@127.0.0.1:{self.ports['postgres']}", "0.0.0.0": "127.0.0.1",
            "/workspace": str(self.home["workspace"]), "/chroma": str(self.home["chroma"]), "/artefacts": str(self.home["artefacts"]),
            "8501": str(own), "8000": str(own), "5432": str(own),
        })  # fmt: skip

    def environment(self, name: str) -> dict[str, str]:
        ours = image_environment() if self.file[name]["image"].startswith("personascope") else {}
        programs = f"{os.environ['PATH']}:{Path(postgres.program('initdb')).parent}"
        machine = {"PATH": programs, "OMP_NUM_THREADS": "1", "TMPDIR": str(self.folder)}
        return {**machine, **ours, **self.here(name).environment(self.file[name])}

    @contextmanager
    def up(self, name: str, *more: str, **how: Any) -> Iterator[None]:
        """A service that lasts, started by its command and well by its own check."""
        service, here = self.file[name], self.here(name)
        where = here.said(service["working_dir"]) if "working_dir" in service else ROOT
        given = {"cwd": where, "env": self.environment(name), "stderr": subprocess.STDOUT, **how}
        with self.log(name).open("wb") as log:
            process = subprocess.Popen([*here.words(service["command"]), *more], **{**given, "stdout": log})
        self.running[name] = process
        try:
            assert self.healthy(name), f"{name} is not well"
            yield
        finally:
            process.terminate()
            process.wait(20)

    def log(self, name: str) -> Path:
        """Where a service writes what it says."""
        return self.folder / f"{name}.log"

    def healthy(self, name: str) -> bool:
        check = self.here(name).words(self.file[name]["healthcheck"]["test"][1:])
        return healthy(check, self.environment(name), self.running[name])

    def once(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """A service that ends: its own command, or another in its place, as `docker compose run NAME COMMAND` takes it."""
        words = self.here(name).words(list(command) or self.file[name]["command"])
        return subprocess.run(words, cwd=ROOT, env=self.environment(name), capture_output=True, text=True, check=False)

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def database(self) -> str:
        return self.environment("app")["PERSONA_STUDY_DATABASE"]


@contextmanager
def database(deployment: Deployment) -> Iterator[None]:
    """PostgreSQL by the service's command, after what the entry of its image does first."""
    folder, as_whom = postgres.a_place()
    given = deployment.environment("postgres")
    secret = folder / "secret"
    secret.write_text(given["POSTGRES_PASSWORD"])
    secret.chmod(0o644)
    how = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **as_whom}
    data, user = str(folder / "data"), given["POSTGRES_USER"]
    deployment.home["postgres"] = Path(data)
    made = [postgres.program("initdb"), "-D", data, "-U", user, f"--pwfile={secret}", *given["POSTGRES_INITDB_ARGS"].split(), "-N"]
    subprocess.run(made, check=True, env=given, **how)
    port = deployment.ports["postgres"]
    more = ("-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}")
    try:
        with deployment.up("postgres", *more, cwd=folder, **as_whom):
            subprocess.run([postgres.program("createdb"), "-h", str(folder), "-p", str(port), "-U", user, given["POSTGRES_DB"]],
                           check=True, env=given, **how)  # fmt: skip
            yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
