"""The app behind a real server on the loopback, and the flags with which Chromium meets it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def server(workspace: Path, **environment: str) -> Iterator[str]:
    """The app's own command on a free port; yields its address."""
    with server_process(workspace, None, **environment) as (_, address):
        yield address


@contextmanager
def server_process(workspace: Path, port: int | None = None, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The same, with the process itself; on this port, where one is named."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    settings = {"PERSONA_WORKSPACE": str(workspace), "PERSONA_OLLAMA_HOST": "http://127.0.0.1:9", **environment}
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
        _end_its_work(workspace)


def _end_its_work(workspace: Path) -> None:
    """A build that the app has begun outlives the app, by design; here nobody waits for it."""
    try:
        os.kill(int(json.loads((workspace / ".job" / "job.json").read_bytes())["pid"]), signal.SIGKILL)
    except (OSError, ValueError, KeyError):
        return


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the server did not answer within a minute")
