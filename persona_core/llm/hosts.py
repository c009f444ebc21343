"""The hosts that share the work: who is asked next, how many requests each gets at once, and who has to rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

FIRST_REST_S, LONGEST_REST_S = 5.0, 120.0


@dataclass(slots=True, eq=False)
class Host:
    """One server, and what the pool remembers of it."""

    address: str
    busy: int = 0
    given: int = 0
    failures: int = 0
    """In a row."""
    rests_until: float = 0.0
    known: bool = False
    """Whether it was seen to have the very model that is wanted, since it last failed."""


class HostPool:
    """Hands out hosts to threads: the least busy first, never more than `parallel` at once each."""

    def __init__(self, addresses: Sequence[str], parallel: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.hosts = tuple(Host(address) for address in addresses)
        self.parallel = parallel
        self._clock = clock
        self._changed = Condition()

    @contextmanager
    def one(self, avoid: Collection[Host] = ()) -> Iterator[Host]:
        """A host for one request; waits while all that could do it have their hands full.

        Hosts to avoid, and then hosts at rest, are taken only if there is no other: they may be well again.
        """
        host = self._taken(avoid)
        try:
            yield host
        finally:
            with self._changed:
                host.busy -= 1
                self._changed.notify_all()

    def rest(self, host: Host) -> None:
        """It failed: others do the work for a while, for longer each time that it fails again."""
        with self._changed:
            now = self._clock()
            host.known = False
            if host.rests_until <= now:  # requests that fail together count once
                host.failures += 1
                host.rests_until = now + min(FIRST_REST_S * 2 ** (host.failures - 1), LONGEST_REST_S)
            self._changed.notify_all()

    def well(self, host: Host) -> None:
        """It answered."""
        with self._changed:
            host.failures, host.rests_until = 0, 0.0
            self._changed.notify_all()

    def others_awake(self, avoid: Collection[Host]) -> bool:
        """Whether somebody else could take the work over at once."""
        with self._changed:
            return any(host not in avoid for host in self._awake())

    def _taken(self, avoid: Collection[Host]) -> Host:
        with self._changed:
            while True:
                awake = self._awake()
                willing = [host for host in awake if host not in avoid] or awake or self._first_to_wake()
                free = [host for host in willing if host.busy < self.parallel]
                if free:
                    host = min(free, key=lambda one: (one.busy, one.given))
                    host.busy += 1
                    host.given += 1
                    return host
                self._changed.wait(self._next_waking())

    def _awake(self) -> list[Host]:
        now = self._clock()
        return [host for host in self.hosts if host.rests_until <= now]

    def _first_to_wake(self) -> list[Host]:
        soonest = min(host.rests_until for host in self.hosts)
        return [host for host in self.hosts if host.rests_until == soonest]

    def _next_waking(self) -> float | None:
        now = self._clock()
        left = [host.rests_until - now for host in self.hosts if host.rests_until > now]
        return min(left) if left else None
