"""Base models for training: any Hugging Face folder or GGUF file, frozen, with the libraries that training needs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from persona_core.errors import PersonaError

INSTALL = "pip install -r requirements-train.txt"
LORA = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def needed(*libraries: str) -> None:
    """Raises PersonaError where one of them is not installed."""
    missing = [name for name in libraries if importlib.util.find_spec(name) is None]
    if missing:
        raise PersonaError("Training needs more libraries.", why=f"Not installed: {', '.join(missing)}.", mend=INSTALL)


def lora(rank: int, layers: list[int] | None = None) -> Any:
    """How adapters are laid: over every projection, of these layers or of all."""
    from peft import LoraConfig

    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(LORA), layers_to_transform=layers, task_type="CAUSAL_LM")


def load_base(weights: Path) -> tuple[Any, Any]:
    """The model and its tokenizer, from a Hugging Face folder or a GGUF file. Raises PersonaError, in words."""
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging
    except ImportError as error:
        raise PersonaError("Training needs more libraries.", why=str(error), mend=INSTALL) from error
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    where: dict[str, Any] = {"gguf_file": weights.name} if weights.is_file() else {"use_safetensors": True}
    folder = str(weights.parent if weights.is_file() else weights)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **where)  # nosec B615 # from this disk
        model = AutoModelForCausalLM.from_pretrained(  # nosec B615 # from this disk
            folder, local_files_only=True, trust_remote_code=False, dtype=torch.float32, **where
        )
    except Exception as error:  # readers of files fail in every way
        raise PersonaError(
            f"{weights} holds no language model that can be read.", why=f"{type(error).__name__}: {error}".splitlines()[0],
            mend="name a Hugging Face folder or a GGUF file; for the latter also `pip install gguf`",
        ) from error  # fmt: skip
    _forget_it_was_quantized(model)
    model.requires_grad_(False)
    return model, tokenizer


def _forget_it_was_quantized(model: Any) -> None:
    """A GGUF's weights are no whole numbers any more once they are read, and trainers refuse what is called quantized."""
    for name in ("is_quantized", "hf_quantizer", "quantization_method"):
        vars(model).pop(name, None)
    vars(model.config).pop("quantization_config", None)
