"""A stand-in that speaks Ollama's HTTP API through a real socket on the loopback, and fails in the ways in which servers fail.

`python -m tests.support.ollama_stand_in --delay 1` runs one on its own and prints its address.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Request = dict[str, Any]
Generate = Callable[[list[dict[str, str]], Any], str]
"""(messages, the format that was asked for) -> text; a real small model can stand behind it."""

DIGEST = "feed" * 16


@dataclass(frozen=True)
class Says:
    """A text, and why it ends; `length` means that it was cut off."""

    text: str
    done_reason: str = "stop"
    prompt_tokens: int | None = None


@dataclass(frozen=True)
class Fails:
    status: int = 500
    error: str = "llama runner process has terminated"


@dataclass(frozen=True)
class Hangs:
    """Answers only after so many seconds, or when the stand-in is stopped."""

    seconds: float


@dataclass(frozen=True)
class Drops:
    """Hangs up in the middle of the answer."""


@dataclass(frozen=True)
class Babbles:
    """Sends this body with a 200, whatever it is."""

    body: bytes


Turn = str | Says | Fails | Hangs | Drops | Babbles


class OllamaStandIn:
    """One server. What is queued with `then` comes first; after that `answer`, or else `generate`, is asked."""

    def __init__(
        self, answer: Callable[[Request], Turn] | None = None, *, generate: Generate | None = None,
        models: tuple[str, ...] = ("tiny:1b",), digest: str = DIGEST, delay: float = 0.0,
    ) -> None:  # fmt: skip
        self.answer = answer
        self.generate = generate
        self.models = models
        self.digest = digest
        self.delay = delay
        self.requests: list[Request] = []
        """The bodies of all chats, in the order in which they came."""
        self.embedded: list[str] = []
        """Every text that a vector was asked for, in that order."""
        self.asked: list[str] = []
        """The paths of all requests."""
        self.most_at_once = 0
        self.at_once = 0
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self._turns: deque[Turn] = deque()
        self._server: _Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def running(self) -> bool:
        return self._server is not None

    def then(self, *turns: Turn) -> None:
        """Queues what the next chats are answered with."""
        self._turns.extend(turns)

    def start(self) -> OllamaStandIn:
        """Begins to listen; on the same port as before, if it was stopped."""
        self.stopping.clear()
        self._server = _Server(self, self._port)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Goes away: connections that are open break, new ones are refused."""
        if self._server is None:
            return
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._server = None

    def __enter__(self) -> OllamaStandIn:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextmanager
    def counted(self, request: Request) -> Iterator[None]:
        with self.lock:
            self.requests.append(request)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield
        finally:
            with self.lock:
                self.at_once -= 1

    def turn_for(self, request: Request, otherwise: Callable[[Request], Turn] | None = None) -> Turn:
        if request["model"] not in self.models:
            return Fails(404, f"model '{request['model']}' not found")
        with self.lock:
            if self._turns:
                return self._turns.popleft()
        if otherwise:
            return otherwise(request)
        if self.answer:
            return self.answer(request)
        if self.generate:
            return self.generate(request["messages"], request.get("format"))
        return "{}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, stand_in: OllamaStandIn, port: int) -> None:
        self.stand_in = stand_in
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Answers)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is nobody's business here."""

    def hang_up(self) -> None:
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        stand_in = self._noted()
        if self.path == "/api/version":
            self._send({"version": "0.0.0-stand-in"})
        elif self.path == "/api/tags":
            self._send({"models": [{"name": name, "model": name, "digest": stand_in.digest} for name in stand_in.models]})
        else:
            self._send({"error": "404 page not found"}, 404)

    def do_POST(self) -> None:
        stand_in = self._noted()
        body: Request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/chat":
            with stand_in.counted(body):
                self._chat(stand_in, body)
        elif self.path == "/api/show":
            there = body["model"] in stand_in.models
            self._send({"details": {}, "model_info": {}} if there else _missing(body["model"]), 200 if there else 404)
        elif self.path == "/api/embed":
            self._embed(stand_in, body)
        elif self.path == "/api/pull":
            stand_in.models = tuple(dict.fromkeys((*stand_in.models, body["model"])))
            steps = [{"status": "pulling", "digest": stand_in.digest, "total": 100, "completed": done} for done in (0, 50, 100)]
            self._send_lines([{"status": "pulling manifest"}, *steps, {"status": "success"}])
        else:
            self._send({"error": "404 page not found"}, 404)

    def _noted(self) -> OllamaStandIn:
        stand_in = self.server.stand_in
        with stand_in.lock:
            stand_in.asked.append(self.path)
        return stand_in

    def _chat(self, stand_in: OllamaStandIn, request: Request) -> None:
        turn = stand_in.turn_for(request)
        if stand_in.delay and stand_in.stopping.wait(stand_in.delay):
            turn = Drops()
        if isinstance(turn, Hangs):
            stand_in.stopping.wait(turn.seconds)
            turn = Drops()
        if isinstance(turn, Drops):
            self._hang_up()
        elif isinstance(turn, Fails):
            self._send({"error": turn.error}, turn.status)
        elif isinstance(turn, Babbles):
            self._send_bytes(turn.body, 200, "application/json")
        else:
            self._say(turn if isinstance(turn, Says) else Says(turn), request, stand_in.delay)

    def _embed(self, stand_in: OllamaStandIn, request: Request) -> None:
        texts = [request["input"]] if isinstance(request["input"], str) else request["input"]
        stand_in.embedded.extend(texts)
        turn = stand_in.turn_for(request, lambda _: "")
        if isinstance(turn, Fails):
            self._send({"error": turn.error}, turn.status)
        elif isinstance(turn, Babbles):
            self._send_bytes(turn.body, 200, "application/json")
        else:
            self._send({"model": request["model"], "embeddings": [_vector(text) for text in texts]})

    def _say(self, says: Says, request: Request, seconds: float) -> None:
        read = sum(len(message["content"]) for message in request["messages"]) // 4
        end = {
            "model": request["model"], "created_at": "2025-01-01T00:00:00Z", "done": True, "done_reason": says.done_reason,
            "total_duration": int(seconds * 1e9), "load_duration": 0, "eval_count": max(1, len(says.text) // 4),
            "prompt_eval_count": read if says.prompt_tokens is None else says.prompt_tokens,
        }  # fmt: skip
        if request.get("stream", True):
            pieces = [says.text[at : at + 16] for at in range(0, len(says.text), 16)]
            lines = [{"model": request["model"], "message": _message(piece), "done": False} for piece in pieces]
            self._send_lines([*lines, {**end, "message": _message("")}])
        else:
            self._send({**end, "message": _message(says.text)})

    def _send(self, value: Any, status: int = 200) -> None:
        self._send_bytes(json.dumps(value).encode(), status, "application/json")

    def _send_lines(self, values: list[Any]) -> None:
        self._send_bytes(b"".join(json.dumps(value).encode() + b"\n" for value in values), 200, "application/x-ndjson")

    def _send_bytes(self, body: bytes, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"model": ')
        self.close_connection = True

    def log_message(self, *_: object) -> None: ...


def _message(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _missing(model: str) -> dict[str, str]:
    return {"error": f"model '{model}' not found"}


def _vector(text: str) -> list[float]:
    return [byte / 255 for byte in hashlib.sha256(text.encode()).digest()[:8]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.ollama_stand_in", description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--says", default="{}", metavar="TEXT", help="what every chat is answered with")
    given = parser.parse_args()
    with OllamaStandIn(lambda request: given.says, delay=given.delay) as stand_in:
        print(stand_in.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
