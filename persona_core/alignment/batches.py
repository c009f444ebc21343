"""Batches in which everything that stands beside a pair may count as wrong for it.

Learning from a batch takes the other pairs' personas for negatives. Two rules keep it from unlearning what is right: no two rows of a
batch share a person, an item, a profile text or a persona text; and a persona of an item that a row's person came to is hidden from
that row. The first is a matter of dealing out rows. The second could be too, where people come to few items of many; but in a small,
busy catalogue hardly two people could ever stand in one batch, so there it is left to the loss, which passes over what is hidden.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import ceil

import numpy as np
import numpy.typing as npt

from persona_core.alignment.pairs import Codes
from persona_core.alignment.texts import TextPair

NOTHING = -1
"""The item of a negative that is not there: all rows have as many columns, not all have as many negatives."""
TRIES = 64
"""In so many batches a place is looked for; a row that fits nowhere sits this round out."""


def keys_of(pair: TextPair) -> frozenset[Hashable]:
    """What no other pair in its batch may have."""
    return frozenset({("user", pair.user), ("item", pair.item), ("anchor", pair.anchor), ("positive", pair.positive)})


def dealt(keys: Sequence[frozenset[Hashable]], size: int, generator: np.random.Generator) -> list[list[int]]:
    """The rows in batches of at most `size`, no two of which share a key within one batch.

    There are always as many batches as the rows would fill, so that the length of a round is known beforehand. A row that finds no
    place (of an item with more rows than there are batches, say) sits this round out; in the next one the dice fall otherwise.
    """
    number = ceil(len(keys) / size)
    batches: list[list[int]] = [[] for _ in range(number)]
    taken: list[set[Hashable]] = [set() for _ in range(number)]
    unfilled = list(range(number))
    for turn, row in enumerate(generator.permutation(len(keys)).tolist()):
        # the first rows take a batch each, so that none stays empty
        start = turn if turn < number else int(generator.integers(max(len(unfilled), 1)))
        for step in range(min(len(unfilled), TRIES)):
            at = (start + step) % len(unfilled)
            place = unfilled[at]
            if taken[place].isdisjoint(keys[row]):
                batches[place].append(row)
                taken[place] |= keys[row]
                if len(batches[place]) == size:
                    unfilled[at] = unfilled[-1]
                    unfilled.pop()
                break
    return batches


def document_items(pairs: Sequence[TextPair]) -> Codes:
    """For each pair the items of its positive and of its negatives, as many columns for all."""
    width = max((len(one.negatives) for one in pairs), default=0)
    rows = [[one.item, *one.negative_items, *[NOTHING] * (width - len(one.negative_items))] for one in pairs]
    return np.array(rows, np.int32).reshape(len(pairs), 1 + width)


def hidden_documents(items: Codes, own: Sequence[Codes]) -> npt.NDArray[np.bool_]:
    """Which documents of a batch each row must not be held against, in the order in which the loss has them: column by column.

    Args:
        items: of the documents, one row a pair (see `document_items`).
        own: of each row's person, the items that they came to. The row's own documents are never hidden for that.
    """
    laid_out = items.T.ravel()
    whose = np.tile(np.arange(len(items)), items.shape[1])
    hidden = np.array([np.isin(laid_out, mine) for mine in own]).reshape(len(items), len(laid_out))
    hidden[np.arange(len(items))[:, None] == whose] = False
    hidden[:, laid_out == NOTHING] = True
    return hidden
