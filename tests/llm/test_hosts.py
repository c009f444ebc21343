"""The pool of hosts: least busy first, never too much at once, rest for who fails, and nobody waits for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event

from hypothesis import given
from hypothesis import strategies as st

from persona_core.llm.hosts import FIRST_REST_S, LONGEST_REST_S, HostPool


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_least_busy_host_is_next() -> None:
    pool = HostPool(("a", "b", "c"), 2)
    with ExitStack() as work:
        taken = [work.enter_context(pool.one()).address for _ in range(6)]
    assert sorted(taken[:3]) == sorted(taken[3:]) == ["a", "b", "c"]
    assert [host.busy for host in pool.hosts] == [0, 0, 0]


def test_who_is_full_gets_nothing_more_until_done() -> None:
    pool = HostPool(("a",), 1)
    with ThreadPoolExecutor(1) as threads:
        with pool.one():
            waiting = threads.submit(lambda: pool.one().__enter__().address)
            assert not Event().wait(0.02)
            assert not waiting.done()
        assert waiting.result(5) == "a"


def test_who_fails_rests_and_longer_each_time() -> None:
    clock = Clock()
    pool = HostPool(("a", "b"), 9, clock)
    a = pool.hosts[0]
    rests = []
    for _ in range(8):
        pool.rest(a)
        pool.rest(a)  # a second request that fell with the same failure
        rests.append(a.rests_until - clock.now)
        with pool.one() as host:
            assert host.address == "b"
        clock.now = a.rests_until
    assert rests[:3] == [FIRST_REST_S, 2 * FIRST_REST_S, 4 * FIRST_REST_S]
    assert rests[-1] == LONGEST_REST_S
    pool.well(a)
    pool.rest(a)
    assert a.rests_until - clock.now == FIRST_REST_S


def test_if_all_rest_the_first_to_wake_is_asked_at_once() -> None:
    clock = Clock()
    pool = HostPool(("a", "b"), 1, clock)
    pool.rest(pool.hosts[1])
    clock.now += 1
    pool.rest(pool.hosts[0])
    assert not pool.others_awake(())
    with pool.one() as host:
        assert host.address == "b"


def test_one_that_is_to_be_avoided_is_taken_if_there_is_no_other() -> None:
    pool = HostPool(("a", "b"), 1)
    a, b = pool.hosts
    with pool.one({a}) as host:
        assert host is b
    with pool.one({a, b}) as host:
        assert host in (a, b)


@given(st.integers(1, 3), st.integers(1, 4), st.lists(st.booleans(), max_size=40))
def test_no_host_ever_has_more_than_its_share(hosts: int, parallel: int, fails: list[bool]) -> None:
    pool = HostPool([str(number) for number in range(hosts)], parallel)
    most = []

    def work(fail: bool) -> None:
        with pool.one() as host:
            most.append(host.busy)
            if fail:
                pool.rest(host)
            else:
                pool.well(host)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, fails))
    assert max(most, default=0) <= parallel
    assert all(host.busy == 0 for host in pool.hosts)
