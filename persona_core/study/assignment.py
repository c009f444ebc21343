"""Who meets which condition: by seeded blocks in which each stands once, or all of them in the order of a balanced Latin square.

It depends on the study's seed and on how many came before, and on nothing else: it can be worked out again from the file.
"""

from __future__ import annotations

import numpy as np

from persona_core.study.design import Condition, Study


def assigned(study: Study, number: int) -> tuple[Condition, ...]:
    """The conditions of the participant who came as this number, from 0 on, in their order."""
    conditions = study.conditions
    if study.within:
        return tuple(conditions[at] for at in square_row(len(conditions), study.seed, number))
    block, place = divmod(number, len(conditions))
    return (conditions[int(_shuffled(len(conditions), study.seed, block)[place])],)


def square_row(many: int, seed: int, number: int) -> list[int]:
    """A row of a Williams square, rows shuffled anew each time that all were used.

    Each condition stands in each place equally often, and follows each other equally often; of an odd number it takes the rows
    and their mirror images for that.
    """
    rows = williams(many)
    block, place = divmod(number, len(rows))
    names = _shuffled(many, seed, 0)
    return [int(names[at]) for at in rows[int(_shuffled(len(rows), seed, block + 1)[place])]]


def williams(many: int) -> list[list[int]]:
    zigzag = [0]
    for step in range(1, many):
        zigzag.append((step + 1) // 2 if step % 2 else many - step // 2)
    rows = [[(at + shift) % many for at in zigzag] for shift in range(many)]
    return rows if many % 2 == 0 or many == 1 else [*rows, *(row[::-1] for row in rows)]


def _shuffled(many: int, seed: int, block: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.random.default_rng([seed, block]).permutation(many)
