"""Work over many things on a Ray cluster: on the machine itself, or on as many as were joined with `ray start`.

Ray's actors, not its data sets: each answer is to be kept as it comes, and a block of a data set is lost as a whole. Nothing of what
Ray keeps outlasts the build, and nothing is asked over the network but the address that was named.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from types import TracebackType
from typing import Any, NamedTuple, Self

from persona_core.errors import PersonaError, StepFailed
from persona_core.llm.ollama_model import OllamaModel
from persona_core.mapping.door import Kind, Numbered
from persona_core.mapping.portions import MOST, Done, Portion, Portions
from persona_core.mapping.ray_worker import AskedThroughDoor, ModelDoor, Worker, code_here

INSTALL = "pip install -r requirements-scale.txt"
PATIENCE_S = 120.0
"""So long a cluster may take to start the first worker."""
CONNECT_S = 5.0
AHEAD = 2
"""Portions that a computing worker has at a time: one under way, one waiting."""


class RayRunner:
    """Joins the cluster at `address`, or starts one on this machine, when there is something to do; leaves it when closed.

    `at_once` things are under way where the work waits for a model; where it computes, one a core of the cluster.
    """

    def __init__(self, at_once: int, address: str = "", cores: int | None = None) -> None:
        self.at_once = at_once
        self.address = address
        self.cores = cores
        """Of this machine, that a cluster started here may use; None for all."""
        self._ray: Any = None
        self._door: Any = None
        self._idle: dict[int, list[Any]] = {}
        """Workers of earlier steps, by the number of their threads; 0 for those that compute."""

    def run(self, work: Callable[[Any], Any], things: Sequence[Numbered], kind: Kind = "waits") -> Iterator[Numbered]:
        if not things:
            return
        ray = self._joined()
        threads, hands = self._shape(ray, kind, len(things))
        with models_stay_at(self._door):
            shared = ray.put(work)
        idle = self._idle.setdefault(threads if kind == "waits" else 0, [])
        number = count()

        def hire() -> Any:
            """One more worker; those that wait take no core, so they are spread over the nodes by hand."""
            if idle:
                return idle.pop()
            where = _at(ray, _alive(ray), next(number)) if kind == "waits" else "DEFAULT"
            worker = ray.remote(Worker).options(
                num_cpus=0 if kind == "waits" else 1, max_concurrency=threads, scheduling_strategy=where
            )  # fmt: skip
            return worker.remote(code_here())

        crew = _Crew(ray, hire, shared, hands, threads if kind == "waits" else AHEAD)
        yield from crew.answers(Portions(things, most=1 if kind == "waits" else MOST))
        idle += crew.at_rest()

    def _shape(self, ray: Any, kind: Kind, things: int) -> tuple[int, int]:
        """How many threads a worker has, and how many workers there are."""
        cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
        if kind != "waits":
            return 1, min(cores, things)
        at_once = min(self.at_once, things)
        threads = -(-at_once // cores)
        return threads, -(-at_once // threads)

    def _joined(self) -> Any:
        if self._ray is None:
            ray = _quiet_ray(alone=not self.address)
            here = {"address": "local", "num_cpus": self.cores, "include_dashboard": False}
            try:
                if self.address not in ("", "auto"):
                    _somebody_listens(self.address)
                ray.init(**({"address": self.address} if self.address else here), log_to_driver=False, logging_level="CRITICAL")
            except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
                raise PersonaError(
                    f"The Ray cluster {self.address or 'of this machine'} cannot be joined.",
                    why=str(error).splitlines()[0] if str(error) else type(error).__name__,
                    mend="ray start --head (and `ray start --address HOST:PORT` on other machines), or build without --runner ray",
                ) from error
            ray._private.worker._worker_logs_enabled = (
                False  # the one switch for what a cluster prints of its nodes, on our own output
            )
            self._ray, self._door = ray, self._opened_door(ray)
        return self._ray

    def _opened_door(self, ray: Any) -> Any:
        """On the machine of the build, where the answers are kept; started again if it dies, with what it was asked."""
        home = ray.get_runtime_context().get_node_id()
        return ray.remote(ModelDoor).options(
            num_cpus=0, max_concurrency=self.at_once, max_restarts=-1, max_task_retries=-1, scheduling_strategy=_at(ray, [home], 0)
        ).remote()  # fmt: skip

    def close(self) -> None:
        """Leaves the cluster; what was started for this build ends."""
        if self._ray is not None:
            self._ray.shutdown()
            self._ray = None
            self._idle.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def _quiet_ray(alone: bool) -> Any:
    """The library, told before it is loaded to report to nobody and to keep out of the progress bar's way.

    Alone on this machine it listens on the loopback only; the name of the switch is older than what it does.
    """
    quiet = {
        "RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_SCHEDULER_EVENTS": "0",
        "RAY_enable_metrics_collection": "0", **({"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"} if alone else {}),
    }  # fmt: skip
    for name, value in quiet.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError as error:
        raise PersonaError("Ray is not installed.", why=str(error), mend=INSTALL) from error
    return ray


def _somebody_listens(address: str) -> None:
    """Raises OSError or ValueError at once where nobody does: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), timeout=CONNECT_S).close()


def _alive(ray: Any) -> list[str]:
    return sorted(node["NodeID"] for node in ray.nodes() if node["Alive"])


def _at(ray: Any, nodes: Sequence[str], number: int) -> Any:
    """One of the nodes in turn; where there is but one, no other will do."""
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    return here(nodes[number % len(nodes)], soft=len(nodes) > 1)


@contextmanager
def models_stay_at(door: Any) -> Iterator[None]:
    """Within it, work is put into the cluster with its models left at home: on workers they are asked through the door."""
    import ray

    ray.util.register_serializer(OllamaModel, serializer=lambda model: (door, model.recipe), deserializer=_travelled)
    try:
        yield
    finally:
        ray.util.deregister_serializer(OllamaModel)


def _travelled(parts: tuple[Any, Any]) -> AskedThroughDoor:
    return AskedThroughDoor(*parts)


class _Errand(NamedTuple):
    hand: Any
    portion: Portion
    share: int
    """Of what its worker may have at a time."""


class _Crew:
    """The workers of one run: hands them portions, and puts another in the place of one that is lost."""

    def __init__(self, ray: Any, hire: Callable[[], Any], work: Any, hands: int, at_once: int) -> None:
        self._ray = ray
        self._hire = hire
        self._work = work
        self._at_once = at_once
        self._starting: dict[Any, Any] = {}
        self._load: dict[Any, int] = {}
        """By worker, how many portions it has; one that is done with nothing beside it counts as all."""
        self._running: dict[Any, _Errand] = {}
        self._failures = 0
        """Of starting a worker, in a row; those of an earlier step may have died since."""
        self._most_failures = 3 + hands
        for _ in range(hands):
            self._start()

    def answers(self, portions: Portions) -> Iterator[Numbered]:
        error: Exception | None = None
        try:
            while self._running or (len(portions) and error is None):
                if error is None:
                    self._hand_out(portions)
                for ref in self._next():
                    done = self._settled(ref, portions)
                    error = error or done.error
                    yield from done.answers
            if error is not None:
                raise error
        finally:
            busy = [errand.hand for errand in self._running.values()]
            for hand in {*busy, *self._starting.values()}:  # stopped in the middle, or not needed any more
                self._load.pop(hand, None)
                self._ray.kill(hand)

    def at_rest(self) -> list[Any]:
        """The workers that are left when all is done; others may use them."""
        for hand in self._load:
            hand.take.remote(None)
        return list(self._load)

    def _start(self) -> None:
        hand = self._hire()
        self._starting[hand.take.remote(self._work)] = hand

    def _hand_out(self, portions: Portions) -> None:
        while len(portions) and self._load:
            hand = min(self._load, key=lambda one: self._load[one])
            share = self._at_once if portions.doubted else 1
            if self._load[hand] + share > self._at_once:
                return
            portion = portions.next()
            self._load[hand] += share
            self._running[hand.each.remote(portion)] = _Errand(hand, portion, share)

    def _next(self) -> list[Any]:
        """What has ended, at least one; waits for it."""
        refs = [*self._running, *self._starting]
        began = time.monotonic()
        while True:
            done, _ = self._ray.wait(refs, num_returns=1, timeout=1.0)
            if done:
                return list(done)
            if not self._load and time.monotonic() - began > PATIENCE_S:
                raise PersonaError(
                    "The Ray cluster has no room for a worker.",
                    why=f"None was started within {PATIENCE_S:.0f} seconds.",
                    mend="ray status shows what is taken; join more machines with `ray start --address HOST:PORT`",
                )

    def _settled(self, ref: Any, portions: Portions) -> Done:
        """What came of a portion, or nothing: of a start, and of a worker that was lost."""
        nothing = Done([], None, 0.0)
        errand = self._running.pop(ref, None)
        hand = errand.hand if errand else self._starting.pop(ref)
        try:
            done = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            return Done([], error.cause if isinstance(error.cause, Exception) else error, 0.0)
        except self._ray.exceptions.RayError as error:
            self._lost(hand, errand, portions, error)
            return nothing
        if errand is None:
            self._load[hand] = 0
            self._failures = 0
            return nothing
        if hand in self._load:
            self._load[hand] -= errand.share
        portions.learn(done)
        return done if isinstance(done, Done) else Done(*done)

    def _lost(self, hand: Any, errand: _Errand | None, portions: Portions, error: Exception) -> None:
        if errand is not None:
            portions.back(errand.portion)
        elif (known := _ours(error)) is not None:
            raise known
        else:
            self._failures += 1
            if self._failures > self._most_failures:
                raise StepFailed("Workers of the Ray cluster die as soon as they are started.", why=str(error)) from error
        if errand is None or self._load.pop(hand, None) is not None:  # once for all that it had under way
            self._ray.kill(hand)
            self._start()


def _ours(error: Exception) -> PersonaError | None:
    """The error that a worker was refused with, if it is one of ours."""
    cause = getattr(error, "cause", None) or error.__cause__
    return cause if isinstance(cause, PersonaError) else None
