"""Base models for training: a folder or a GGUF is read whole, is frozen, and can be taught; anything else is refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from persona_core.errors import PersonaError
from persona_core.llm.base_model import load_base, lora
from tests.support.tiny_lm import write_tiny_lm

pytest.importorskip("peft", reason="needs requirements-train.txt")
gguf = pytest.importorskip("gguf", reason="needs requirements-train.txt")
WORDS = ["<unk>", "<s>", "</s>", "a", "b", "c", "ab"]
WIDTH, HEADS = 16, 2


def write_tiny_gguf(file: Path) -> Path:
    """A random model of one layer in the form of llama.cpp, its matrices in whole numbers of eight bits."""
    writer = gguf.GGUFWriter(str(file), "llama")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(2 * WIDTH)
    writer.add_feed_forward_length(2 * WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_dimension_count(WIDTH)
    writer.add_vocab_size(len(WORDS))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(WORDS)
    writer.add_token_types([1] * len(WORDS))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    rng = np.random.default_rng(7)
    square = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    for name, rows in [*((f"blk.0.{one}", 2 * WIDTH) for one in square), ("token_embd", len(WORDS)), ("output", len(WORDS))]:
        matrix = rng.normal(size=(rows, 2 * WIDTH)).astype(np.float32)
        kept = gguf.quants.quantize(matrix, gguf.GGMLQuantizationType.Q8_0)
        writer.add_tensor(f"{name}.weight", kept, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(2 * WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


@pytest.mark.parametrize("form", ["folder", "gguf"])
def test_what_was_read_is_frozen_and_can_be_taught(form: str, tmp_path: Path) -> None:
    import torch
    from peft import get_peft_model
    from transformers.trainer_utils import validate_quantization_for_training

    model, tokenizer = load_base(write_tiny_gguf(tmp_path / "tiny.gguf") if form == "gguf" else write_tiny_lm(tmp_path, ["a b"]))
    assert {one.dtype for one in model.parameters()} == {torch.float32}
    assert not any(one.requires_grad for one in model.parameters())
    taught = get_peft_model(model, lora(2))
    validate_quantization_for_training(taught)  # which every trainer asks first, and which refuses what is called quantized
    taught(**tokenizer("a b", return_tensors="pt")).logits.sum().backward()
    assert any(one.grad is not None for one in taught.parameters())


def test_what_is_no_model_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "not.gguf").write_bytes(b"GGUF and then nothing")
    for weights in (tmp_path / "not.gguf", tmp_path, tmp_path / "nowhere"):
        with pytest.raises(PersonaError, match="holds no language model"):
            load_base(weights)
