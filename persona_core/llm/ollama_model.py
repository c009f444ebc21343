"""A language model behind Ollama servers: what is asked is answered in form, or there is an error that says why."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import Any, Self, TypeVar

import orjson
from pydantic import BaseModel

from persona_core.errors import ModelAnswerBad, ModelMissing, ModelUnavailable
from persona_core.llm.cache import AnswerCache, Kept, answer_key
from persona_core.llm.hosts import Host, HostPool
from persona_core.llm.protocol import Answer, FormT, Prompt, Usage
from persona_core.llm.reading import CutOff, CutPrompt, Unreadable, shown, value_in
from persona_core.llm.server import client_for, look, look_at
from persona_core.settings import OllamaSettings

RETRIES = 3
PAUSES_S = (0.5, 2.0, 5.0)
"""Before each retry; together longer than a server takes to restart."""
RETRY_TEMPERATURE = 0.4
"""At temperature 0 the seed changes nothing, so a retry needs a little warmth too."""
KEEP_ALIVE = "30m"
CONNECT_S = 5.0
BYTES_A_TOKEN = 3
"""Fewer than real texts have, in every script: what is said to fit does fit."""
TEMPLATE_TOKENS = 64
EMBEDDED_AT_ONCE = 32
T = TypeVar("T")


class _HostFailed(Exception):
    """This host could not do it; another one, or this one later, may."""


class _HostSlow(_HostFailed):
    """It took longer than we may wait."""


class _HostLacksModel(_HostFailed):
    """It does not have the model, or another one under the same name."""


@dataclass(slots=True)
class _Tries:
    """What one question has cost so far and how its attempts ended."""

    usage: Usage = field(default_factory=Usage)
    bad: int = 0
    failed: int = 0
    last: Exception | None = None
    raw: str = ""
    avoid: set[Host] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a model is made from: it can be sent where a model, which holds connections, cannot."""

    settings: OllamaSettings
    digest: str
    answers: Path | None
    """Where they are kept."""
    seed: int
    temperature: float


class OllamaModel:
    """Safe to ask from several threads. With a cache, what was answered once is never asked again."""

    def __init__(
        self, settings: OllamaSettings, digest: str, cache: AnswerCache | None = None, *, seed: int = 0, temperature: float = 0.0,
        sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.name = settings.model
        self.digest = digest
        self._settings = settings
        self._cache = cache
        self._seed = seed
        self._temperature = temperature
        self._sleep = sleep
        self._pool = HostPool(settings.hosts, settings.parallel, clock)
        self._clients: dict[Host, Any] = {}
        self._clients_lock = Lock()

    @classmethod
    def of(
        cls, settings: OllamaSettings, cache: AnswerCache | None = None, *, seed: int = 0, temperature: float = 0.0
    ) -> OllamaModel | None:
        """The model that the settings name, or None if it is not to be used or nobody answers.

        Hosts that are down, or have other weights under that name, are passed over until they have the right ones.
        """
        if settings.use == "never":
            return None
        reachable = [state for state in look(settings) if state.reachable]
        if not reachable:
            return None
        digests = [state.digest_of(settings.model) for state in reachable if state.has(settings.model)]
        if not digests:
            raise _missing(settings.model, ", ".join(state.host for state in reachable))
        return cls(settings, digests[0], cache, seed=seed, temperature=temperature)

    @classmethod
    def made(cls, recipe: Recipe, cache: AnswerCache | None) -> Self:
        """The very model that a recipe was taken from; `cache` is the one of its answers."""
        return cls(recipe.settings, recipe.digest, cache, seed=recipe.seed, temperature=recipe.temperature)

    @property
    def recipe(self) -> Recipe:
        answers = None if self._cache is None else self._cache.path
        return Recipe(self._settings, self.digest, answers, self._seed, self._temperature)

    def fits(self, prompt: Prompt) -> bool:
        """Whether the prompt and the longest answer fit into the context; guessed on the safe side."""
        return _tokens(prompt) <= self._room

    def ask(self, prompt: Prompt, form: type[FormT]) -> Answer[FormT]:
        if not self.fits(prompt):
            raise ModelAnswerBad(
                f"The prompt {prompt.name} is too long for the model.",
                why=f"It has about {_tokens(prompt):,} tokens; {self._room:,} fit beside the answer.",
                mend=f"`{_set('context', 2 * self._settings.context)}`, if the model and its memory allow it",
            )
        if self._cache is None:
            kept, value = self._answered(prompt, form)
            return Answer(value, kept.usage, cached=False)
        key, former = (
            answer_key(prompt, model_digest=self.digest, options=options, schema=_schema(form))
            for options in (self._choices(0), self._options(0))
        )
        with self._cache.alone(key):
            known = self._cache.get(key) or self._cache.get(former)
            if known is not None:
                try:
                    return Answer(value_in(known.text, form), known.usage, cached=True)
                except Unreadable:
                    pass  # the form's own checks have become stricter without its schema showing it: ask anew
            kept, value = self._answered(prompt, form)
            self._cache.put(key, kept)
            return Answer(value, kept.usage, cached=False)

    def vectors(self, texts: Sequence[str], tell: Callable[[int], None] = lambda _: None) -> list[list[float]]:
        """Each text as this model embeds it; what was embedded once is never asked for again."""
        found = {text: self._embedded_before(text) for text in dict.fromkeys(texts)}
        missing = [text for text, known in found.items() if known is None]
        tell(len(found) - len(missing))
        for start in range(0, len(missing), EMBEDDED_AT_ONCE):
            some = missing[start : start + EMBEDDED_AT_ONCE]
            rows = self._paid(_to_embed(f"{len(some)} texts"), partial(self._embedding, some))
            for text, row in zip(some, rows, strict=True):
                found[text] = row
                if self._cache is not None:
                    self._cache.put(self._embedding_key(text), Kept(orjson.dumps(row).decode(), Usage()))
            tell(len(found) - len(missing) + start + len(some))
        every = [found[text] or [] for text in texts]
        if len({len(row) for row in every}) > 1:
            raise _no_vectors(self.name, "its vectors are of several lengths")
        return every

    def _embedded_before(self, text: str) -> list[float] | None:
        known = None if self._cache is None else self._cache.get(self._embedding_key(text))
        row: list[float] | None = orjson.loads(known.text) if known else None
        return row

    def _embedding_key(self, text: str) -> str:
        return answer_key(_to_embed(text), model_digest=self.digest, options={}, schema={})

    def close(self) -> None:
        with self._clients_lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    @property
    def _room(self) -> int:
        return self._settings.context - self._settings.answer_tokens

    def _choices(self, bad: int) -> dict[str, Any]:
        """What the n-th attempt's answer depends on; only bad answers change it, a server's bad day does not change what it says."""
        return {"seed": self._seed + bad, "temperature": max(self._temperature, RETRY_TEMPERATURE if bad else 0.0)}

    def _options(self, bad: int) -> dict[str, Any]:
        """The same with limits, on which an answer that was not cut off does not depend: to raise them asks nothing anew.

        In former versions they were part of an answer's key; what was paid for then is still found.
        """
        return {**self._choices(bad), "num_ctx": self._settings.context, "num_predict": self._settings.answer_tokens}

    def _answered(self, prompt: Prompt, form: type[FormT]) -> tuple[Kept, FormT]:
        def attempt(tries: _Tries) -> tuple[Kept, FormT]:
            text = self._attempt(prompt, _schema(form), tries)
            return Kept(text, tries.usage), value_in(text, form)

        return self._paid(prompt, attempt)

    def _paid(self, prompt: Prompt, attempt: Callable[[_Tries], T]) -> T:
        """What an attempt brings, after as many as it takes, and as are allowed."""
        tries = _Tries()
        while True:
            try:
                return attempt(tries)
            except Unreadable as error:
                tries.bad += 1
                tries.last = error
            except _HostFailed as error:
                tries.last = error
                if self._pool.others_awake(tries.avoid):
                    continue  # somebody else takes over at once, and it does not count: each host fails so only once
                if isinstance(error, _HostLacksModel):
                    raise _missing(self.name, str(error)) from error
                tries.failed += 1
                tries.avoid.clear()
            count = tries.bad + tries.failed
            if count > RETRIES:
                raise self._given_up(prompt, tries) from tries.last
            self._sleep(PAUSES_S[count - 1])

    def _attempt(self, prompt: Prompt, schema: Mapping[str, Any], tries: _Tries) -> str:
        """The raw text of one answer."""
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        options = self._options(tries.bad)
        reply, seconds = self._asked(
            prompt, tries,
            lambda client: client.chat(self.name, messages, format=schema, think=False, options=options, keep_alive=KEEP_ALIVE),
        )  # fmt: skip
        cost = Usage(reply.prompt_eval_count or 0, reply.eval_count or 0, seconds)
        tries.usage += cost
        # a lone half of a surrogate pair is no text and could not be kept
        tries.raw = (reply.message.content or "").encode("utf-8", "replace").decode()
        if cost.prompt_tokens >= self._settings.context:
            raise CutPrompt("the server cut the prompt")
        if reply.done_reason == "length" or reply.done is False:
            raise CutOff(f"the answer was cut off after {cost.answer_tokens} tokens")
        return tries.raw

    def _embedding(self, texts: Sequence[str], tries: _Tries) -> list[list[float]]:
        """A vector a text, each of numbers that can be used."""
        reply, seconds = self._asked(
            _to_embed(f"{len(texts)} texts"), tries,
            lambda client: client.embed(self.name, list(texts), truncate=True, keep_alive=KEEP_ALIVE),
        )  # fmt: skip
        tries.usage += Usage(reply.prompt_eval_count or 0, 0, seconds)
        rows = [[float(one) for one in row] for row in reply.embeddings]
        if len(rows) != len(texts):
            raise Unreadable(f"{len(rows)} vectors came for {len(texts)} texts")
        if not all(any(row) and all(map(math.isfinite, row)) for row in rows):
            raise Unreadable("a vector is empty, zero, or not of numbers")
        return rows

    def _asked(self, prompt: Prompt, tries: _Tries, request: Callable[[Any], Any]) -> tuple[Any, float]:
        """What a host replies, and how long it took; a host that fails has a rest."""
        with self._pool.one(tries.avoid) as host:
            began = time.perf_counter()
            try:
                self._make_sure_of(host)
                reply = self._reply(host, prompt, request)
            except _HostFailed:
                tries.avoid.add(host)
                tries.usage += Usage(seconds=time.perf_counter() - began)
                self._pool.rest(host)
                raise
            self._pool.well(host)
            return reply, time.perf_counter() - began

    def _reply(self, host: Host, prompt: Prompt, request: Callable[[Any], Any]) -> Any:
        import httpx
        import ollama

        try:
            return request(self._client(host))
        except ollama.ResponseError as error:
            raise self._judged(error, host, prompt) from error
        except httpx.TimeoutException as error:
            raise _HostSlow(f"{host.address} did not answer within {self._settings.timeout_s:g} s") from error
        except (ConnectionError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise _HostFailed(f"{host.address}: {shown(str(error)) or type(error).__name__}") from error
        except (ValueError, TypeError) as error:
            raise _HostFailed(f"{host.address} does not answer as Ollama does: {shown(str(error))}") from error

    def _judged(self, error: Any, host: Host, prompt: Prompt) -> Exception:
        says = f"{host.address} says {error.status_code}: {shown(str(error.error))}"
        if error.status_code == 404 and "not found" in str(error.error) and "model" in str(error.error):
            return _HostLacksModel(host.address)
        if error.status_code in (400, 413, 422):
            mend = "look into the server's log, or choose another model with PERSONA_OLLAMA_MODEL"
            return ModelAnswerBad(f"The server refuses the prompt {prompt.name}.", why=says, mend=mend)
        return _HostFailed(says)

    def _make_sure_of(self, host: Host) -> None:
        """Before its first request, and again when it was away: the host must have the very model whose digest we name."""
        if host.known:
            return
        state = look_at(host.address)
        if not state.reachable:
            raise _HostFailed(f"{host.address}: {shown(state.trouble)}")
        if state.digest_of(self.name) != self.digest:
            raise _HostLacksModel(host.address)
        host.known = True

    def _client(self, host: Host) -> Any:
        with self._clients_lock:
            if host not in self._clients:
                self._clients[host] = client_for(host.address, self._settings.timeout_s, CONNECT_S)
            return self._clients[host]

    def _given_up(self, prompt: Prompt, tries: _Tries) -> Exception:
        if isinstance(tries.last, _HostFailed):
            slow = isinstance(tries.last, _HostSlow)
            first = f"`{_set('timeout_s', 2 * self._settings.timeout_s)}`" if slow else "ollama serve"
            return ModelUnavailable(
                f"The model {self.name} could not be asked.",
                why=f"{tries.last}, and so {RETRIES + 1} times.",
                mend=f"{first}; then run the same command again: answers that were given are kept",
            )
        return ModelAnswerBad(
            f"The model {self.name} gave no usable answer to the prompt {prompt.name}.",
            why=f"Asked {RETRIES + 1} times; at last {tries.last}. It began: {shown(tries.raw) or 'with nothing'}",
            mend=self._more_room(tries.last),
        )

    def _more_room(self, last: Exception | None) -> str:
        """What may make an answer usable: more room where something was cut, else another model."""
        known = self._settings
        if isinstance(last, CutOff) and 2 * known.answer_tokens < known.context:
            return f"`{_set('answer_tokens', 2 * known.answer_tokens)}`; what was answered is not asked again"
        if isinstance(last, CutOff | CutPrompt):
            return f"`{_set('context', 2 * known.context)}`; what was answered is not asked again"
        return "choose another model with PERSONA_OLLAMA_MODEL"


def _set(name: str, value: float) -> str:
    """The command that changes a setting of the model servers."""
    return f"export PERSONA_OLLAMA_{name.upper()}={value if value % 1 else round(value)}"


def _to_embed(text: str) -> Prompt:
    """There is nothing to say to a model that embeds; it is named so in errors, and under it vectors are kept."""
    return Prompt("embed", "1", "", text)


def _no_vectors(model: str, why: str) -> ModelAnswerBad:
    return ModelAnswerBad(f"The model {model} gives no usable vectors.", why=why, mend="name a model that is made for embedding")


def _missing(model: str, hosts: str) -> ModelMissing:
    return ModelMissing(
        f"The model {model} is not there.",
        why=f"The server {hosts} answers, but it does not have this model, or not the one that the work began with.",
        mend=f"ollama pull {model}",
    )


def _tokens(prompt: Prompt) -> int:
    written = len(prompt.system.encode("utf-8", "replace")) + len(prompt.user.encode("utf-8", "replace"))
    return -(-written // BYTES_A_TOKEN) + TEMPLATE_TOKENS


@lru_cache(maxsize=64)
def _schema(form: type[BaseModel]) -> Mapping[str, Any]:
    return form.model_json_schema()
