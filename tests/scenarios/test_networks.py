"""What every model of several scenarios has to keep: a row is answered alone as among others, and knowledge begins as nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from persona_core.scenarios.backbones import BACKBONES, Single
from persona_core.scenarios.inputs import Batch, Inputs, Known
from persona_core.scenarios.meta import Knowledge
from tests.scenarios.made import ITEMS, SCENARIOS, USERS, kinds, known, model, samples

EVERY = pytest.mark.parametrize("backbone", [Single, *BACKBONES.values()], ids=lambda one: one.__name__)
BATCH = Batch.of(samples(3, 32))


def stirred(one: torch.nn.Module) -> torch.nn.Module:
    """As after some training: what starts as nothing is something."""
    torch.manual_seed(5)
    with torch.no_grad():
        for weights in one.parameters():
            weights.add_(0.1 * torch.randn_like(weights))
    return one


@EVERY
def test_a_prediction_does_not_depend_on_what_else_is_in_its_batch(backbone: Any) -> None:
    made = stirred(model(backbone, users=kinds(), scenarios=np.eye(2, dtype=np.float32))).train()
    together = made(BATCH)
    alone = torch.cat([made(BATCH[slice(row, row + 1)]) for row in range(32)])
    assert torch.allclose(together, alone, atol=1e-5)
    assert together.shape == (32,)


@EVERY
def test_training_with_knowledge_begins_at_the_plain_backbone_and_can_leave_it(backbone: Any) -> None:
    plain = model(backbone)
    listening = model(backbone, users=kinds(), scenarios=np.eye(2, dtype=np.float32))
    listening.load_state_dict(plain.state_dict(), strict=False)
    assert torch.equal(listening(BATCH), plain(BATCH))
    listening(BATCH).sum().backward()
    for generator in (listening.of_user, listening.of_scenario):
        assert float(generator.write.weight.grad.abs().sum()) > 0


@EVERY
def test_every_scenario_has_a_say_of_its_own(backbone: Any) -> None:
    made = stirred(model(backbone))
    elsewhere = Batch(BATCH.users, BATCH.items, 1 - BATCH.scenarios, BATCH.recency)
    assert not torch.allclose(made(BATCH), made(elsewhere))


def test_what_was_generated_once_serves_as_well() -> None:
    made: Any = stirred(model(users=kinds(), scenarios=np.eye(2, dtype=np.float32))).eval()
    assert torch.allclose(made(BATCH), made(BATCH, made.cores()), atol=1e-6)
    plain: Any = model()
    assert plain.cores().users is None
    assert torch.equal(plain(BATCH), plain(BATCH, plain.cores()))


def test_knowledge_that_is_given_is_left_as_it_is_and_what_is_learned_is_not_what_was_given() -> None:
    given, learned = Knowledge(kinds()), Knowledge(kinds(), learned=True)
    assert not given.rows.weight.requires_grad
    assert learned.rows.weight.requires_grad
    assert np.array_equal(given.rows.weight.numpy(), kinds())
    assert not np.allclose(learned.rows.weight.detach().numpy(), kinds())


def test_where_scenarios_stand_apart_a_person_is_another_in_each() -> None:
    shared, apart = Inputs(known()), Inputs(known(), apart=True)
    assert shared.user.num_embeddings == USERS
    assert apart.user.num_embeddings == USERS * SCENARIOS


def test_texts_prices_and_recency_are_seen_where_they_are_known() -> None:
    rng = np.random.default_rng(0)
    texts = rng.normal(size=(ITEMS, 7)).astype(np.float32)
    people, bands = rng.normal(size=(USERS, 5)).astype(np.float32), np.eye(3, dtype=np.float32)[np.arange(ITEMS) % 3]
    more = Inputs(Known(USERS, ITEMS, SCENARIOS, bands, texts, people))
    assert more.width == Inputs(known()).width + 3 * 16
    assert more(BATCH).shape == (32, more.width)
    assert not any(name.endswith("texts") for name in more.state_dict()), "they are given, not learned"
