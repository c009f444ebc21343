"""A random language model of the trend model's kind, so small that a step of training takes milliseconds; written as a folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def write_tiny_lm(folder: Path, texts: Iterable[str]) -> Path:
    """Its words are those of the texts."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast

    cut = pre_tokenizers.Split(Regex(r"\n| ?[^\s]+"), "isolated")
    words = sorted({word for text in texts for word, _ in cut.pre_tokenize_str(f" {text}\n")})
    known = {word: place for place, word in enumerate(["<pad>", "<bos>", "<unk>", "<eos>", *words])}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="<unk>"))
    tokenizer.pre_tokenizer, tokenizer.decoder = cut, decoders.Fuse()
    named = {"bos_token": "<bos>", "pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "<eos>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named).save_pretrained(folder)
    config = Gemma3TextConfig(
        vocab_size=len(known), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        head_dim=16, sliding_window=512, max_position_embeddings=1024, layer_types=["sliding_attention", "full_attention"],
        initializer_range=0.3,
    )  # fmt: skip
    torch.manual_seed(0)
    Gemma3ForCausalLM(config).save_pretrained(folder)
    return folder
