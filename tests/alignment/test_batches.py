"""Batches: whatever the pairs, nobody stands beside themselves, and nothing that is right for a row counts as wrong for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.alignment.batches import NOTHING, dealt, document_items, hidden_documents, keys_of
from persona_core.alignment.texts import TextPair

codes = st.integers(0, 6)
some_pairs = st.lists(
    st.builds(
        lambda user, item, text, negatives, own: TextPair(
            text, f"persona of {item}", item, user, tuple(f"n{one}" for one in negatives), tuple(negatives), frozenset({*own, item})
        ),
        codes, codes, st.sampled_from(["a", "b", "c", "d", "e"]), st.lists(codes, max_size=3), st.sets(codes),
    ),
    max_size=30,
)  # fmt: skip


@given(some_pairs, st.integers(1, 8), st.integers(0, 99))
def test_no_two_rows_of_a_batch_share_a_person_an_item_or_a_text(pairs: list[TextPair], size: int, seed: int) -> None:
    batches = dealt([keys_of(one) for one in pairs], size, np.random.default_rng(seed))
    assert len(batches) == -(-len(pairs) // size)
    rows = [row for batch in batches for row in batch]
    assert len(set(rows)) == len(rows)
    for batch in batches:
        assert 1 <= len(batch) <= size
        for what in ("user", "item", "anchor", "positive"):
            assert len({getattr(pairs[row], what) for row in batch}) == len(batch)


@given(some_pairs, st.integers(1, 8))
def test_a_row_sits_out_only_where_no_unfilled_batch_can_take_it(pairs: list[TextPair], size: int) -> None:
    keys = [keys_of(one) for one in pairs]
    batches = dealt(keys, size, np.random.default_rng(1))
    placed = {row for batch in batches for row in batch}
    for row in set(range(len(pairs))) - placed:
        assert all(any(keys[row] & keys[other] for other in batch) for batch in batches if len(batch) < size)


def test_all_take_part_where_there_is_room_and_each_round_is_another() -> None:
    pairs = [TextPair(f"a{n}", f"p{n % 40}", n % 40, n // 5) for n in range(200)]
    keys = [keys_of(one) for one in pairs]
    one, other = (dealt(keys, 8, np.random.default_rng((7, epoch))) for epoch in (0, 1))
    assert sum(map(len, one)) >= 195
    assert one != other
    assert one == dealt(keys, 8, np.random.default_rng((7, 0)))


def test_who_sits_out_is_another_each_time() -> None:
    pairs = [TextPair(f"a{n}", "p", 0 if n < 12 else n, n) for n in range(16)]
    keys = [frozenset({("item", one.item)}) for one in pairs]
    out = Counter(
        row
        for epoch in range(60)
        for row in set(range(16)) - {at for batch in dealt(keys, 4, np.random.default_rng(epoch)) for at in batch}
    )
    assert set(out) == set(range(12))


# What is hidden -----------------------------------------------------------------------------------------------------------


@given(some_pairs.filter(bool))
def test_what_is_hidden_from_a_row_is_what_its_person_came_to_and_nothing_else(pairs: list[TextPair]) -> None:
    items = document_items(pairs)
    own = [np.array(sorted(one.own), np.int32) for one in pairs]
    hidden = hidden_documents(items, own)
    assert hidden.shape == (len(pairs), items.size)
    for row, one in enumerate(pairs):
        for column in range(items.shape[1]):
            for other in range(len(pairs)):
                item = int(items[other, column])
                expected = item == NOTHING or (other != row and item in one.own)
                assert hidden[row, column * len(pairs) + other] == expected


def test_negatives_that_are_not_there_are_filled_up() -> None:
    pairs = [TextPair("a", "p", 3, 0, ("x", "y"), (4, 5)), TextPair("b", "q", 6, 1)]
    assert document_items(pairs).tolist() == [[3, 4, 5], [6, NOTHING, NOTHING]]


# The loss -----------------------------------------------------------------------------------------------------------------


def losses(pairs: list[TextPair], seed: int = 0) -> tuple[float, float, list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
    """Our loss, the library's, and the gradient of ours by column."""
    import torch
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    from persona_core.alignment.trainer import _loss

    generator = torch.Generator().manual_seed(seed)
    width = document_items(pairs).shape[1]
    columns = [torch.randn((len(pairs), 8), generator=generator, requires_grad=True) for _ in range(1 + width)]
    labels = torch.arange(len(pairs))
    nobody = torch.nn.Identity()
    ours = _loss(nobody, pairs, 0.05).compute_loss_from_embeddings(columns, labels)
    plain = MultipleNegativesRankingLoss(
        nobody,  # type: ignore[arg-type]
        scale=20,
        directions=("query_to_doc", "doc_to_query"),
        partition_mode="per_direction",
    ).compute_loss_from_embeddings([column.detach() for column in columns], labels)
    ours.backward()
    return ours.item(), plain.item(), [np.zeros(0) if one.grad is None else one.grad.numpy() for one in columns]


def test_where_nothing_is_hidden_it_is_the_librarys_loss() -> None:
    pairs = [TextPair(f"a{n}", f"p{n}", n, n, (f"n{n}",), (10 + n,), frozenset({n})) for n in range(4)]
    ours, plain, _ = losses(pairs)
    assert ours == pytest.approx(plain, rel=1e-6)


def test_what_is_hidden_weighs_nothing() -> None:
    pairs = [TextPair(f"a{n}", f"p{n}", n, n, (f"n{n}",), (10 + n,)) for n in range(4)]
    ours, plain, _ = losses([replace(one, own=frozenset(range(20))) for one in pairs])
    assert ours < plain


def test_a_negative_that_is_not_there_is_not_learnt_from() -> None:
    _, _, (_, _, negatives) = losses([TextPair("a", "p", 0, 0, ("x",), (9,)), TextPair("b", "q", 1, 1)])
    assert np.abs(negatives[0]).max() > 0
    assert np.abs(negatives[1]).max() == 0


def test_a_row_with_nothing_to_be_held_against_has_no_loss_and_no_nan() -> None:
    pairs = [TextPair(f"a{n}", f"p{n}", n, n, (), (), frozenset({0, 1, 2})) for n in range(3)]
    ours, _, gradients = losses(pairs)
    assert ours == pytest.approx(0, abs=1e-6)
    assert all(np.isfinite(one).all() for one in gradients)
