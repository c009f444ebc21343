"""Faults of the model server: down, dying, slow, answering rubbish, refusing, cut short; and which questions it is asked twice."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks.faults_build import NOTHING, told_finished
from benchmarks.faults_ground import AGAIN, Bench, Person, Row, built_by, commands_in, first_line, lost_of, message
from benchmarks.faults_line import Running, Said
from tests.personas.with_model.mind import good as says_of_items
from tests.support.ollama_stand_in import Drops, Fails, Hangs, OllamaStandIn, Request, Says, Turn

MODELLED = "model"
"""The world built with a model."""
MODEL = "tiny:1b"
NUMBERED = re.compile(r"^(\d+)\. \[", re.MULTILINE)


@dataclass
class Mind:
    """A model that answers well unless it is told otherwise; it notes each question that it has answered well."""

    other: Callable[[Request], Turn | None] = lambda request: None
    asked: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request) -> Turn:
        question = json.dumps(request["messages"])
        with self.lock:
            self.asked.append(question)
        other = self.other(request)
        if other is not None:
            return other
        if self.held.is_set():
            return Hangs(3.0)
        said = good(request)
        with self.lock:
            self.answered.append(question)
        return said

    @property
    def again(self) -> int:
        """How often something was answered that had been answered before."""
        return sum(times - 1 for times in Counter(self.answered).values())


def good(request: Request) -> str:
    """What a good model would say to each of the questions that a build asks."""
    form = request["format"]["title"]
    if form == "Portrait":
        numbers = [int(one) for one in NUMBERED.findall(request["messages"][-1]["content"])]
        like = {"cites": numbers[:2], "phrase": "wants a grip that holds", "strength": 3}
        return json.dumps({"likes": [like], "dislikes": [], "text": "They want a firm grip."})
    if form == "Compared":
        return json.dumps({"shops": [], "common": [], "differ": []})
    if form == "Interests":
        return json.dumps({"within": [], "across": [], "only": []})
    return says_of_items(request)


def rows(bench: Bench) -> Iterator[Row]:
    whole = undisturbed(bench)
    yield from killed(bench, whole)
    if bench.quick:
        return
    faults: list[Callable[[Bench], Row]] = [
        dies_in_the_middle, down_at_start, goes_while_stale, hangs_up, silent, slow, rubbish, cut_short, prompt_cut, refuses,
        broken_server, model_removed, other_weights, answers_damaged,
    ]  # fmt: skip
    for fault in faults:
        yield fault(bench)


def undisturbed(bench: Bench) -> int:
    """Builds the world with a model and gives how many questions that takes."""
    with _server(Mind()) as server:
        person = _person(bench, "undisturbed with a model", server)
        bench.whole[MODELLED] = built_by(person)
        return len(server.requests)


def _server(mind: Mind, **more: str) -> OllamaStandIn:
    return OllamaStandIn(mind, models=(MODEL,), **more)  # type: ignore[arg-type]


def _person(bench: Bench, name: str, server: OllamaStandIn, built: str = "", **settings: str) -> Person:
    """Somebody whose `ollama serve` and `ollama pull` are done to the stand-in."""
    model = {"PERSONA_OLLAMA_USE": "auto", "PERSONA_OLLAMA_HOST": server.url, "PERSONA_OLLAMA_MODEL": MODEL}
    person = bench.person(name, built, None, **(model | settings))

    def serve(_: str) -> None:
        if not server.running:
            server.start()

    def pull(command: str) -> None:
        server.models = (*server.models, command.split()[2])

    person.others |= {"ollama serve": serve, "ollama pull": pull}
    return person


def _noted(name: str, person: Person, mind: Mind, said: Said, commands: tuple[str, ...] = (), acts: str = "") -> Row:
    """Obeys the message and looks what has become of the answers that were given before it."""
    before = len(set(mind.answered))
    told = commands or commands_in(message(said))
    person.obeys(told, person.build)
    trouble = "" if told else "no command is named"
    lost = sum(times - 1 for times in Counter(mind.answered).values())  # what has to be asked again was lost
    trouble = person.not_well(MODELLED) or trouble
    return Row(name, "answers", before, lost, mind.again, first_line(said), told, trouble, acts)


# Away --------------------------------------------------------------------------------------------------------------------


def down_at_start(bench: Bench) -> Row:
    """No server at the first build: all is made without; once it runs, the next build lets it do its part."""
    mind = Mind()
    with _server(mind) as server:
        person = _person(bench, "down at start", server)
        server.stop()
        said = person.builds()
        trouble = first_line(said) if said.code else ""
        doctor = person.types("doctor").out
        line = next((" ".join(one.split()) for one in doctor.splitlines() if "not reachable" in one), "nothing")
        mend = next((one for one in doctor.splitlines() if "ollama serve" in one), "")
        server.start()
        status = person.types("status").out
        told = (*commands_in(mend), *commands_in(status))
        person.others["ollama serve"] = lambda command: None  # it runs already
        person.others["ollama pull"] = lambda command: None
        person.obeys(told)
        return Row("Ollama down at start", "answers", 0, 0, mind.again, line, told, trouble or person.not_well(MODELLED))


def dies_in_the_middle(bench: Bench) -> Row:
    mind = Mind()
    with _server(mind) as server:
        person = _person(bench, "dies in the middle", server)

        def dies(request: Request) -> Turn | None:
            if len(mind.asked) == 8:
                threading.Thread(target=server.stop).start()
            return Drops() if len(mind.asked) >= 8 else None

        mind.other = dies
        said = person.builds()
        mind.other = lambda request: None
        return _noted("Ollama dies in the middle", person, mind, said)


def hangs_up(bench: Bench) -> Row:
    """Every third answer breaks off, and the same question is answered when it is asked again at once."""
    mind = Mind()
    with _server(mind) as server:
        person = _person(bench, "hangs up", server)
        mind.other = lambda request: Drops() if len(mind.asked) % 3 == 0 else None
        said = person.builds()
        return _as_if_nothing("Ollama hangs up on every third question", person, mind, said)


def goes_while_stale(bench: Bench) -> Row:
    """What a model made has to be made again, and the model is away."""
    mind = Mind()
    with _server(mind) as server:
        person = _person(bench, "away while stale", server, MODELLED)
        server.stop()
        other = person.with_settings(PERSONA_RANKING_HALF_LIFE_DAYS="100")
        before = person.finished()
        said = other.types("build")
        told = commands_in(message(said))
        lost = lost_of(before, person.finished())
        other.obeys(told, ("build",))
        trouble = "" if other.types("build").code == 0 else "it still cannot be built"
        person.types("build")
        again = sum(times - 1 for times in Counter(mind.answered).values())
        return Row("Ollama away when its work is stale", "steps", len(before), lost, again, first_line(said), told,
                   trouble or person.not_well(MODELLED))  # fmt: skip


# Slow --------------------------------------------------------------------------------------------------------------------


def silent(bench: Bench) -> Row:
    """It takes longer for an answer than the settings allow."""
    mind = Mind()
    with _server(mind) as server:
        person = _person(bench, "silent", server)
        hasty = person.with_settings(PERSONA_OLLAMA_TIMEOUT_S="0.5")
        mind.other = lambda request: Hangs(1.5) if len(mind.asked) > 5 else None
        said = hasty.builds()
        told = commands_in(message(said))
        before = len(set(mind.answered))
        mind.other = _after(0.7)
        hasty.obeys(told, person.build)
        trouble = person.not_well(MODELLED)
        return Row("Ollama slower than the patience", "answers", before, mind.again, mind.again, first_line(said), told, trouble)


def _after(seconds: float) -> Callable[[Request], Turn | None]:
    def waits(_: Request) -> Turn | None:
        time.sleep(seconds)
        return None

    return waits


def slow(bench: Bench) -> Row:
    mind = Mind()
    with _server(mind) as server:
        person = _person(bench, "slow", server)
        mind.other = _after(0.3)
        return _as_if_nothing("Ollama slow, within the patience", person, mind, person.builds())


def _as_if_nothing(name: str, person: Person, mind: Mind, said: Said) -> Row:
    trouble = first_line(said) if said.code else person.not_well(MODELLED)
    return Row(name, "answers", len(set(mind.answered)), mind.again, mind.again, "nothing", NOTHING, trouble)


# Bad answers -------------------------------------------------------------------------------------------------------------


def _bad_for_a_while(bench: Bench, name: str, bad: Turn) -> Row:
    """Some questions are answered badly, however often they are asked, until the person has done something about it."""
    mind = Mind()
    with _server(mind) as server:
        person = _person(bench, name, server)
        mind.other = lambda request: bad if "Thing 3" in json.dumps(request["messages"]) else None
        said = person.builds()
        status = person.types("status").out
        late = next((" ".join(line.split()) for line in status.splitlines() if "failed" in line), "")
        told = commands_in(message(said)) or commands_in(late) + commands_in(status)
        mind.other = lambda request: None
        before = len(set(mind.answered))
        person.obeys(told, person.build)
        saw = first_line(said) if said.code else late or "nothing"
        return Row(name, "answers", before, mind.again, mind.again, saw, told, person.not_well(MODELLED), "mended the model")


def rubbish(bench: Bench) -> Row:
    return _bad_for_a_while(bench, "Ollama answers rubbish", "As a small model I would rather not.")


def cut_short(bench: Bench) -> Row:
    return _bad_for_a_while(bench, "Ollama's answers are cut off", Says('{"findings": [', "length"))


def prompt_cut(bench: Bench) -> Row:
    return _bad_for_a_while(bench, "Ollama runs out of context", Says("{}", prompt_tokens=8192))


def refuses(bench: Bench) -> Row:
    return _bad_for_a_while(bench, "Ollama refuses a prompt (400)", Fails(400, "input length exceeds the context length"))


def broken_server(bench: Bench) -> Row:
    """Every question from the sixth on fails with 500, until the server is started anew."""
    mind = Mind()
    with _server(mind) as server:
        person = _person(bench, "500", server)
        mind.other = lambda request: Fails(500) if len(mind.asked) > 5 else None
        said = person.builds()

        def serve(_: str) -> None:
            mind.other = lambda request: None

        person.others["ollama serve"] = serve
        return _noted("Ollama fails with 500", person, mind, said)


def model_removed(bench: Bench) -> Row:
    mind = Mind()
    with _server(mind) as server:
        person = _person(bench, "model removed", server)

        def removed(_: Request) -> Turn | None:
            if len(mind.asked) > 5 and MODEL in server.models and not mind.held.is_set():
                mind.held.set()
                server.models = ()
                return Fails(404, f"model '{MODEL}' not found")
            return None

        mind.other = removed
        said = person.builds()
        mind.other = lambda request: None
        mind.held.clear()
        told = commands_in(message(said))
        return _noted("the model is removed in the middle", person, mind, said, told if AGAIN in told else (*told, AGAIN))


def other_weights(bench: Bench) -> Row:
    """Somebody pulls other weights under the same name, and then the former ones again."""
    mind = Mind()
    with _server(mind) as server:
        person = _person(bench, "other weights", server)
        digest = server.digest

        def changed(_: Request) -> Turn | None:
            if len(mind.asked) == 6:
                server.digest = "beef" * 16
                return Drops()
            return None

        mind.other = changed
        said = person.builds()

        def pull(_: str) -> None:
            server.digest = digest

        person.others["ollama pull"] = pull
        told = commands_in(message(said))
        return _noted("other weights under the same name", person, mind, said, told if AGAIN in told else (*told, AGAIN))


def answers_damaged(bench: Bench) -> Row:
    """The file of kept answers is torn, and all that was made of them is gone."""
    mind = Mind()
    with _server(mind) as server:
        person = _person(bench, "answers damaged", server, MODELLED)
        file = person.place.root / "answers.sqlite"
        content = file.read_bytes()
        file.write_bytes(content[: len(content) * 3 // 4])
        paid = len(bench.whole[MODELLED].contents) and _paid(bench)
        for step in ("aspects", "personas", "profiles", "scenarios"):
            (person.place.step_folder(step) / "current").unlink()
        said = person.types("build")
        asked = len(set(mind.asked))
        trouble = first_line(said) if said.code else person.not_well(MODELLED)
        return Row("the kept answers are damaged", "answers", paid, asked, asked, "nothing", NOTHING, trouble)


def _paid(bench: Bench) -> int:
    from persona_core.llm.cache import AnswerCache

    cache = AnswerCache(bench.whole[MODELLED].place.root / "answers.sqlite")
    try:
        return len(cache)
    finally:
        cache.close()


# Killed ------------------------------------------------------------------------------------------------------------------


def killed(bench: Bench, whole: int) -> Iterator[Row]:
    """The build is killed after some of its questions, and again, and again; what had been answered is not asked again."""
    mind = Mind()
    with _server(mind) as server:
        person = _person(bench, "kill -9 while it asks", server)
        kills, every = 0, max(1, whole // (3 if bench.quick else 10))
        acknowledged: set[str] = set()
        lost = 0
        while True:
            running = person.starts(*person.build, "--progress", "json")
            wanted = len(mind.answered) + every
            if not _killed_after(running, mind, wanted):
                break
            kills += 1
            acknowledged |= told_finished(running)
            lost += len(acknowledged - set(person.finished()))
            mind.held.clear()
        said = running.wait()
        trouble = first_line(said) if said.code else person.not_well(MODELLED)
        if len(set(mind.answered)) != whole:
            trouble = trouble or f"{len(set(mind.answered))} questions, not {whole}"
        yield Row(f"kill -9 while it asks, {kills} times", "answers", len(set(mind.answered)), mind.again + lost, mind.again,
                  "To bring it up to date: …", person.build[:1], trouble)  # fmt: skip


def _killed_after(running: Running, mind: Mind, wanted: int) -> bool:
    """Kills it once so many questions are answered and no answer is on its way; whether it was still at work."""
    while not running.ended:
        if len(mind.answered) >= wanted:
            mind.held.set()  # later questions wait
            time.sleep(0.3)  # what was answered arrives
            running.kill()
            return running.wait().code < 0
        time.sleep(0.002)
    return False
