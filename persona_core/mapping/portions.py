"""Work in portions: large enough that handing them out costs little, small enough that a lost worker takes little with it."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from persona_core.errors import StepFailed
from persona_core.mapping.door import Numbered

WANTED_S = 0.5
"""So long a portion is to take."""
MOST = 256
LOSSES = 3
"""So often may a thing be lost with its worker; more often, and it is what kills them."""

Portion = list[Numbered]


class Done(NamedTuple):
    answers: Portion
    error: Exception | None
    """What ended the portion early."""
    seconds: float


def applied(work: Callable[[Any], Any], portion: Portion) -> Done:
    """Does the work for each thing of a portion, up to the first error."""
    began, answers = time.monotonic(), []
    for position, thing in portion:
        try:
            answers.append((position, work(thing)))
        except Exception as error:
            return Done(answers, error, time.monotonic() - began)
    return Done(answers, None, time.monotonic() - began)


class Portions:
    """What is still to be handed out."""

    def __init__(self, things: Sequence[Numbered], most: int = MOST) -> None:
        self._waiting = deque(things)
        self._lost: Counter[int] = Counter()
        self._most = most
        self._size = 1

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def doubted(self) -> bool:
        """What comes next was lost with a worker: it is done with nothing beside it, so that no innocent is lost with it again."""
        return bool(self._waiting) and self.doubts([self._waiting[0]])

    def doubts(self, portion: Portion) -> bool:
        return any(position in self._lost for position, _ in portion)

    def next(self) -> Portion:
        many = 1 if self.doubted else self._size
        return [self._waiting.popleft() for _ in range(min(many, len(self._waiting)))]

    def learn(self, done: Done) -> None:
        """The next portions are as large as the pace allows, but never much larger than the last."""
        if done.answers and not done.error:
            fits = int(WANTED_S * len(done.answers) / max(done.seconds, 1e-6))
            self._size = max(1, min(fits, 2 * len(done.answers), self._most))

    def back(self, portion: Portion) -> None:
        """A worker was lost with it: others do it before all else, one thing at a time, so that what kills them is found."""
        for position, _ in portion:
            self._lost[position] += 1
            if self._lost[position] > LOSSES:
                raise StepFailed(
                    f"Number {position + 1} of the things to do cannot be done: its worker died each of {LOSSES + 1} times.",
                    why="A worker that dies without a word mostly had too little memory. What was finished is kept.",
                    mend="give workers more memory, or use fewer (PERSONA_WORKERS); then run the same command again",
                )
        self._waiting.extendleft(reversed(portion))
        self._size = 1
