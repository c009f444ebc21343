"""A narrowed model says of the texts it was made for what the whole one says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from persona_core.llm.base_model import load_base
from persona_core.llm.narrow import narrowed
from tests.support.tiny_lm import write_tiny_lm

MISSING = [name for name in ("transformers", "tokenizers") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (pip install -r requirements-train.txt)")
KEPT = ["the quick brown fox", "lazy dogs sleep"]
OTHERS = ["an entirely different matter", "quickest foxes of all"]


def pieces() -> Any:
    """A tokenizer that puts words together out of letters, as those of large models do."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<pad>", "<bos>", "<unk>", "<eos>"])
    made.train_from_iterator([*KEPT, *OTHERS] * 4, trainer)
    named = {"bos_token": "<bos>", "pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "<eos>"}
    return PreTrainedTokenizerFast(tokenizer_object=made, **named)


def test_its_texts_are_cut_as_before_and_others_into_smaller_pieces(tmp_path: Path) -> None:
    whole = pieces()
    model, _ = load_base(write_tiny_lm(tmp_path, KEPT))
    model.resize_token_embeddings(len(whole))
    _, own = narrowed(model, whole, KEPT)
    assert len(own) < len(whole)
    for text in KEPT:
        assert own.convert_ids_to_tokens(own(text)["input_ids"]) == whole.convert_ids_to_tokens(whole(text)["input_ids"])
        assert own.decode(own(text)["input_ids"]) == whole.decode(whole(text)["input_ids"])
    for text in OTHERS:
        assert len(own(text)["input_ids"]) >= len(whole(text)["input_ids"])
    assert [own.eos_token, own.pad_token] == [whole.eos_token, whole.pad_token]


def test_the_same_words_have_the_same_likelihoods_among_each_other(tmp_path: Path) -> None:
    import torch

    folder = write_tiny_lm(tmp_path, [*KEPT, *OTHERS])
    whole, tokenizer = load_base(folder)
    small, own = narrowed(*load_base(folder), KEPT)
    assert small.config.vocab_size == len(own) < len(tokenizer)
    for text in KEPT:
        with torch.no_grad():
            before = whole(input_ids=torch.tensor([tokenizer(text)["input_ids"]])).logits[0]
            after = small(input_ids=torch.tensor([own(text)["input_ids"]])).logits[0]
        places = [tokenizer.convert_tokens_to_ids(own.convert_ids_to_tokens(place)) for place in range(len(own))]
        assert torch.allclose(before[:, places], after, atol=1e-5)


def test_it_writes_and_stops_where_its_own_end_is(tmp_path: Path) -> None:
    import torch

    small, own = narrowed(*load_base(write_tiny_lm(tmp_path, [*KEPT, *OTHERS])), KEPT)
    said = small.generate(torch.tensor([own(KEPT[0])["input_ids"]]), max_new_tokens=5, do_sample=False)
    assert int(said.max()) < len(own)
    assert own.eos_token_id == own.convert_tokens_to_ids("<eos>")
