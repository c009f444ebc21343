"""The adapter, through the real client and a real socket: whatever a server does, there is an answer in form or an error."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from pydantic import BaseModel, Field, field_validator

from persona_core.errors import ModelAnswerBad, ModelMissing, ModelUnavailable
from persona_core.llm import ollama_model
from persona_core.llm.cache import AnswerCache, Kept, answer_key
from persona_core.llm.ollama_model import RETRIES, OllamaModel
from persona_core.llm.protocol import Prompt, Usage
from persona_core.settings import OllamaSettings
from tests.support.ollama_stand_in import DIGEST, Babbles, Drops, Fails, Hangs, OllamaStandIn, Says

GOOD = '{"word": "pan", "number": 3}'
NOBODY = "http://127.0.0.1:9"


class Form(BaseModel):
    word: str
    number: int = Field(ge=0)


class Stricter(Form):
    @field_validator("word")
    @classmethod
    def _no_pans(cls, word: str) -> str:
        if word == "pan":
            raise ValueError("no pans")
        return word


def asking(user: str = "Say it.") -> Prompt:
    return Prompt("test", "v1", "You answer in JSON.", user)


@pytest.fixture
def server() -> Iterator[OllamaStandIn]:
    with OllamaStandIn(lambda request: GOOD) as stand_in:
        yield stand_in


@pytest.fixture
def cache(tmp_path: Path) -> AnswerCache:
    return AnswerCache(tmp_path / "answers.sqlite")


def model_at(
    *hosts: str, cache: AnswerCache | None = None, sleep: Callable[[float], None] = lambda _: None, **settings: object
) -> OllamaModel:
    wanted = OllamaSettings(host=",".join(hosts), model="tiny:1b", **settings)
    return OllamaModel(wanted, DIGEST, cache, seed=7, sleep=sleep)


def test_an_answer_comes_in_form_with_what_it_cost(server: OllamaStandIn) -> None:
    model = OllamaModel.of(OllamaSettings(host=server.url, model="tiny:1b"), None)
    assert model is not None
    answer = model.ask(asking(), Form)
    assert (answer.value, answer.cached) == (Form(word="pan", number=3), False)
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.answer_tokens > 0
    assert (model.name, model.digest) == ("tiny:1b", DIGEST)


def test_the_server_is_told_all_that_it_must_know(server: OllamaStandIn) -> None:
    model_at(server.url, context=4096, answer_tokens=256).ask(asking(), Form)
    (request,) = server.requests
    assert request["format"] == Form.model_json_schema()
    assert request["options"] == {"seed": 7, "temperature": 0.0, "num_ctx": 4096, "num_predict": 256}
    assert (request["think"], request["stream"], request["keep_alive"]) == (False, False, "30m")
    assert [message["role"] for message in request["messages"]] == ["system", "user"]


def test_no_model_without_a_server_or_where_none_is_wanted(server: OllamaStandIn) -> None:
    assert OllamaModel.of(OllamaSettings(host=NOBODY), None) is None
    assert OllamaModel.of(OllamaSettings(host=server.url, use="never"), None) is None
    assert server.asked == []


def test_a_missing_model_is_named_with_what_mends_it(server: OllamaStandIn) -> None:
    with pytest.raises(ModelMissing) as caught:
        OllamaModel.of(OllamaSettings(host=f"{NOBODY},{server.url}", model="other:7b"), None)
    assert caught.value.mend == "ollama pull other:7b"


def test_a_model_that_is_removed_on_the_way_is_missing(server: OllamaStandIn) -> None:
    model = model_at(server.url)
    model.ask(asking(), Form)
    server.models = ("other:7b",)
    with pytest.raises(ModelMissing, match="ollama pull tiny:1b"):
        model.ask(asking(), Form)


BAD = [
    "I cannot help with that.", "", "  \n", '{"word": "pan", "number":', '{"word": "pan"}', '{"word": "pan", "number": -1}',
    "[1, 2]", "null", Says(GOOD, "length"), Says(GOOD, prompt_tokens=8192), "```json\n{}\n```", "<think>hm</think>",
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_bad_answer_is_asked_for_again_in_another_way(bad: str | Says, server: OllamaStandIn) -> None:
    server.then(bad, bad)
    assert model_at(server.url).ask(asking(), Form).value.number == 3
    options = [request["options"] for request in server.requests]
    assert [one["seed"] for one in options] == [7, 8, 9]
    assert options[0]["temperature"] == 0 < options[1]["temperature"]  # at 0 another seed would change nothing


@pytest.mark.parametrize(
    ("bad", "mend"),
    [
        (Says(GOOD, "length"), "export PERSONA_OLLAMA_ANSWER_TOKENS=2048"),
        (Says(GOOD, prompt_tokens=8192), "export PERSONA_OLLAMA_CONTEXT=16384"),
        ("rubbish", "PERSONA_OLLAMA_MODEL"),
    ],
    ids=str,
)
def test_what_is_bad_for_good_names_what_may_mend_it(bad: str | Says, mend: str, server: OllamaStandIn) -> None:
    server.answer = lambda request: bad
    with pytest.raises(ModelAnswerBad) as caught:
        model_at(server.url).ask(asking(), Form)
    assert mend in caught.value.mend


def test_a_server_that_is_too_slow_is_not_told_to_be_started(server: OllamaStandIn) -> None:
    server.answer = lambda request: Hangs(5)
    with pytest.raises(ModelUnavailable) as caught:
        model_at(server.url, timeout_s=0.05).ask(asking(), Form)
    assert caught.value.mend.startswith("`export PERSONA_OLLAMA_TIMEOUT_S=0.1`; then run the same command again")


@pytest.mark.parametrize(
    "text", [f"```json\n{GOOD}\n```", f"```\n{GOOD}```", f" \n{GOOD}\n", f"<think>a {{</think>\n{GOOD}", f"```JSON {GOOD} ```"]
)
def test_wrapping_takes_nothing_from_an_answer(text: str, server: OllamaStandIn) -> None:
    server.then(text)
    assert model_at(server.url).ask(asking(), Form).value.word == "pan"
    assert len(server.requests) == 1


def test_half_a_surrogate_pair_is_no_crash(server: OllamaStandIn, cache: AnswerCache) -> None:
    server.then(Babbles(json.dumps({"message": {"role": "assistant", "content": '{"word": "\ud800", "number": 1}'}}).encode()))
    model = model_at(server.url, cache=cache)
    assert model.ask(asking(), Form).value == model.ask(asking(), Form).value == Form(word="?", number=1)


@pytest.mark.parametrize(
    "fault",
    [Fails(500), Fails(503, "server busy"), Fails(429), Drops(), Babbles(b"<html>"), Babbles(b"[]"), Babbles(b"")],
    ids=str,
)
def test_a_servers_bad_moment_passes(fault: Fails | Drops | Babbles, server: OllamaStandIn) -> None:
    server.then(fault, fault)
    pauses: list[float] = []
    assert model_at(server.url, sleep=pauses.append).ask(asking(), Form).value.number == 3
    assert len(pauses) == 2
    assert pauses[0] < pauses[1]
    # the seed stays: what the model says must not hang on the server's mood
    assert [request["options"]["seed"] for request in server.requests] == [7, 7, 7]


def test_a_server_that_hangs_is_not_waited_for(server: OllamaStandIn) -> None:
    server.then(Hangs(30))
    assert model_at(server.url, timeout_s=0.2).ask(asking(), Form).value.number == 3


@pytest.mark.parametrize("fault", [Fails(500), Drops(), "no JSON", Says(GOOD, "length")], ids=str)
def test_the_tries_are_counted(fault: Fails | Drops | str | Says, server: OllamaStandIn) -> None:
    server.answer = lambda request: fault
    expected = ModelUnavailable if isinstance(fault, Fails | Drops) else ModelAnswerBad
    with pytest.raises(expected, match=str(RETRIES + 1)):
        model_at(server.url).ask(asking(), Form)
    assert len(server.requests) == RETRIES + 1


def test_the_last_raw_answer_is_in_the_error(server: OllamaStandIn) -> None:
    server.answer = lambda request: "As a pan,\nI   refuse. " + "x" * 1000
    with pytest.raises(ModelAnswerBad, match="As a pan, I refuse") as caught:
        model_at(server.url).ask(asking(), Form)
    assert len(caught.value.why) < 400


def test_a_refused_request_is_not_repeated(server: OllamaStandIn) -> None:
    server.then(Fails(400, "invalid format"))
    with pytest.raises(ModelAnswerBad, match="invalid format"):
        model_at(server.url).ask(asking(), Form)
    assert len(server.requests) == 1


def test_a_page_that_is_not_there_is_no_missing_model(server: OllamaStandIn) -> None:
    server.answer = lambda request: Fails(404, "404 page not found")
    with pytest.raises(ModelUnavailable, match="404"):
        model_at(server.url).ask(asking(), Form)


def test_a_server_that_goes_away_and_comes_back_is_found_again(server: OllamaStandIn) -> None:
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == RETRIES:
            server.start()

    model = model_at(server.url, sleep=sleep)
    model.ask(asking("one"), Form)
    server.stop()
    assert model.ask(asking("two"), Form).value.number == 3
    assert pauses == sorted(pauses)


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(ModelUnavailable, match="ollama serve"):
        model_at(NOBODY).ask(asking(), Form)


def test_other_weights_under_the_same_name_are_not_taken_for_the_same(server: OllamaStandIn) -> None:
    model = model_at(server.url)
    model.ask(asking(), Form)
    server.then(Fails(500))  # it restarts, with a newer model
    server.digest = "beef" * 16
    with pytest.raises(ModelMissing):
        model.ask(asking(), Form)
    assert len(server.requests) == 2


def test_two_hosts_share_the_work_within_their_limits() -> None:
    with OllamaStandIn(lambda _: GOOD, delay=0.02) as one, OllamaStandIn(lambda _: GOOD, delay=0.02) as other:
        model = model_at(one.url, other.url, parallel=2)
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda number: model.ask(asking(str(number)), Form), range(32)))
        assert len(answers) == len(one.requests) + len(other.requests) == 32
        assert min(len(one.requests), len(other.requests)) >= 8
        assert (one.most_at_once, other.most_at_once) == (2, 2)


@pytest.mark.parametrize("parallel", [1, 3])
def test_one_host_never_gets_more_at_once_than_it_should(parallel: int) -> None:
    with OllamaStandIn(lambda _: GOOD, delay=0.02) as server, ThreadPoolExecutor(8) as threads:
        model = model_at(server.url, parallel=parallel)
        list(threads.map(lambda number: model.ask(asking(str(number)), Form), range(16)))
        assert server.most_at_once == parallel


def test_one_dead_host_does_not_stop_the_work_nor_cost_a_pause(server: OllamaStandIn) -> None:
    pauses: list[float] = []
    model = model_at(NOBODY, server.url, sleep=pauses.append)
    for number in range(5):
        model.ask(asking(str(number)), Form)
    assert len(server.requests) == 5
    assert pauses == []


def test_a_host_that_falls_in_the_middle_hands_its_work_over(server: OllamaStandIn) -> None:
    with OllamaStandIn(lambda _: GOOD) as other:
        model = model_at(server.url, other.url)
        model.ask(asking("1"), Form)
        model.ask(asking("2"), Form)
        other.answer = server.answer = lambda request: Drops()
        before = len(server.requests), len(other.requests)
        with pytest.raises(ModelUnavailable):
            model.ask(asking("3"), Form)
        asked = len(server.requests) + len(other.requests) - sum(before)
        assert RETRIES + 1 <= asked <= 2 * (RETRIES + 1)  # both failed, and still there was an end
        server.answer = lambda request: GOOD
        assert model.ask(asking("4"), Form).value.number == 3


def test_hosts_that_fail_more_slowly_than_they_rest_come_to_an_end_too(server: OllamaStandIn) -> None:
    with OllamaStandIn(lambda request: Drops()) as other:
        server.answer = lambda request: Drops() if len(server.requests) < 30 else GOOD
        leaps = itertools.count(0, 1000)  # whenever somebody looks at the clock, every rest is over
        settings = OllamaSettings(host=f"{server.url},{other.url}", model="tiny:1b")
        model = OllamaModel(settings, DIGEST, sleep=lambda _: None, clock=lambda: float(next(leaps)))
        with pytest.raises(ModelUnavailable):
            model.ask(asking(), Form)
        assert len(server.requests) == len(other.requests) == RETRIES + 1


def test_a_host_without_the_model_is_passed_over(server: OllamaStandIn) -> None:
    with OllamaStandIn(models=("other:7b",)) as other:
        model = OllamaModel.of(OllamaSettings(host=f"{other.url},{server.url}", model="tiny:1b"), None)
        assert model is not None
        assert model.ask(asking(), Form).value.number == 3
        assert other.requests == []


def test_nothing_is_asked_twice(server: OllamaStandIn, cache: AnswerCache) -> None:
    first = model_at(server.url, cache=cache).ask(asking(), Form)
    again = model_at(server.url, cache=cache).ask(asking(), Form)
    assert (first.cached, again.cached) == (False, True)
    assert (again.value, again.usage) == (first.value, first.usage)
    assert len(server.requests) == 1
    server.stop()
    assert model_at(server.url, cache=AnswerCache(cache.path)).ask(asking(), Form).cached


def test_threads_that_ask_the_same_at_once_pay_once(server: OllamaStandIn, cache: AnswerCache) -> None:
    model, together = model_at(server.url, cache=cache), Barrier(8)
    server.delay = 0.02

    def ask(number: int) -> bool:
        together.wait(5)
        return model.ask(asking(), Form).cached

    with ThreadPoolExecutor(8) as threads:
        cached = list(threads.map(ask, range(8)))
    assert sorted(cached) == [False] + [True] * 7
    assert len(server.requests) == 1


def test_what_differs_is_asked_anew(server: OllamaStandIn, cache: AnswerCache) -> None:
    model_at(server.url, cache=cache).ask(asking(), Form)
    model_at(server.url, cache=cache).ask(asking("Say more."), Form)
    assert len(server.requests) == 2
    server.answer = lambda request: '{"word": "pot", "number": 1}'
    assert model_at(server.url, cache=cache).ask(asking(), Form).value.word == "pan"
    assert model_at(server.url, cache=cache).ask(asking(), Stricter).value.word == "pot"


def test_to_raise_a_limit_asks_nothing_anew(server: OllamaStandIn, cache: AnswerCache) -> None:
    """An answer that was not cut off would be the same; a person who follows a message's advice must not pay for all again."""
    model_at(server.url, cache=cache).ask(asking(), Form)
    for limits in ({"answer_tokens": 2048}, {"context": 16384}, {"timeout_s": 240.0}):
        assert model_at(server.url, cache=cache, **limits).ask(asking(), Form).cached
    assert len(server.requests) == 1


def test_what_was_paid_for_while_limits_were_part_of_the_key_is_found(server: OllamaStandIn, cache: AnswerCache) -> None:
    model = model_at(server.url, cache=cache)
    former = answer_key(asking(), model_digest=DIGEST, options=model._options(0), schema=Form.model_json_schema())
    cache.put(former, Kept(GOOD, Usage(1, 1, 1.0)))
    assert model.ask(asking(), Form).cached
    assert server.requests == []


def test_bad_answers_are_not_kept_but_good_ones_after_them_are(server: OllamaStandIn, cache: AnswerCache) -> None:
    server.then(*["bad"] * (RETRIES + 1), "bad", f"```json\n{GOOD}\n```")
    model = model_at(server.url, cache=cache)
    with pytest.raises(ModelAnswerBad):
        model.ask(asking(), Form)
    assert len(cache) == 0
    paid = model.ask(asking(), Form)
    assert len(server.requests) == RETRIES + 3
    assert model.ask(asking(), Form).usage == paid.usage
    assert paid.usage.answer_tokens > len(GOOD) // 4  # the failed attempt is in the price


def test_a_kept_answer_that_no_longer_passes_is_asked_for_anew(
    server: OllamaStandIn, cache: AnswerCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_at(server.url, cache=cache).ask(asking(), Form)
    monkeypatch.setattr(ollama_model, "_schema", lambda form: Form.model_json_schema())
    server.then('{"word": "pot", "number": 1}')
    model = model_at(server.url, cache=cache)
    assert model.ask(asking(), Stricter).value.word == "pot"
    assert model.ask(asking(), Stricter).cached


def test_a_prompt_that_is_too_long_is_never_sent(server: OllamaStandIn) -> None:
    model = model_at(server.url, context=1024, answer_tokens=256)
    assert model.fits(asking("x" * 2000))
    assert not model.fits(asking("x" * 3000))
    assert not model.fits(asking("漢" * 1000))  # a sign can be a token of its own
    with pytest.raises(ModelAnswerBad, match="PERSONA_OLLAMA_CONTEXT"):
        model.ask(asking("x" * 3000), Form)
    assert server.requests == []


def test_a_closed_model_opens_again(server: OllamaStandIn) -> None:
    model = model_at(server.url)
    model.ask(asking("1"), Form)
    model.close()
    assert model.ask(asking("2"), Form).value.number == 3
