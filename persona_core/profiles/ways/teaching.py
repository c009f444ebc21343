"""A generator of profiles learns from preference pairs: first to write as the chosen ones are written, then to prefer them (DPO).

Both are `trl`'s, over LoRA adapters on any base model. The reference of the second is what the first left. Nothing of a person but
the pair's own prompt is shown. Checkpoints are left every few steps, from which an interrupted training goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from persona_core.errors import PersonaError
from persona_core.llm.base_model import lora, needed
from persona_core.profiles.ways.preferences import Pair

Stage = Literal["sft", "dpo"]
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    rank: int = 8
    batch: int = 4
    sft_epochs: int = 1
    dpo_epochs: int = 1
    sft_rate: float = 5e-4
    dpo_rate: float = 5e-5
    beta: float = 0.1
    """How dear it is to move away from the reference."""
    longest: int = 768
    """Tokens of a prompt and its answer; more are not cut but left out, since cutting would take the answer."""
    save_steps: int = 10
    seed: int = 7


def teach(base: Any, tokenizer: Any, pairs: Sequence[Pair], recipe: Recipe, folder: Path, tell: Tell) -> tuple[Any, dict[str, Any]]:
    """The model with its adapters after both stages, and their curves."""
    needed("trl", "peft", "datasets")
    from peft import get_peft_model

    usable = [one for one in pairs if _long(tokenizer, one) <= recipe.longest]
    if not usable:
        raise PersonaError("There are no pairs to learn from.", mend="explore and judge first, or take another split")
    model: Any = get_peft_model(base, lora(recipe.rank))
    curves = {}
    for stage in ("sft", "dpo"):
        trainer = _trainer(stage, model, tokenizer, usable, recipe, folder / stage, tell)
        trainer.train(resume_from_checkpoint=_checkpoint(folder / stage))
        curves[stage] = [
            {name: round(float(value), 5) for name, value in row.items() if isinstance(value, int | float)}
            for row in trainer.state.log_history
        ]
        model = trainer.model
    return model, {"pairs": len(usable), "left out as too long": len(pairs) - len(usable), "curves": curves}


def _trainer(stage: Stage, model: Any, tokenizer: Any, pairs: Sequence[Pair], recipe: Recipe, folder: Path, tell: Tell) -> Any:
    import importlib

    datasets, trl = (importlib.import_module(name) for name in ("datasets", "trl"))
    common: dict[str, Any] = {
        "output_dir": str(folder), "per_device_train_batch_size": recipe.batch, "use_cpu": not _has_gpu(), "bf16": False,
        "seed": recipe.seed, "data_seed": recipe.seed, "report_to": "none", "logging_steps": 1,
        "save_steps": recipe.save_steps, "save_total_limit": 1,
        "disable_tqdm": True, "max_length": recipe.longest, "gradient_checkpointing": False, "dataloader_pin_memory": False,
        "lr_scheduler_type": "linear", "warmup_steps": 5,
    }  # fmt: skip
    callbacks = [_watcher(stage, tell)]
    if stage == "sft":
        rows = [{"prompt": one.prompt, "completion": one.chosen} for one in pairs]
        arguments = trl.SFTConfig(
            **common, num_train_epochs=recipe.sft_epochs, learning_rate=recipe.sft_rate, completion_only_loss=True
        )
        return trl.SFTTrainer(model=model, args=arguments, train_dataset=datasets.Dataset.from_list(rows), processing_class=tokenizer,
                              callbacks=callbacks)  # fmt: skip
    rows = [{"prompt": one.prompt, "chosen": one.chosen, "rejected": one.rejected} for one in pairs]
    arguments = trl.DPOConfig(**common, num_train_epochs=recipe.dpo_epochs, learning_rate=recipe.dpo_rate, beta=recipe.beta)
    return trl.DPOTrainer(model=model, args=arguments, train_dataset=datasets.Dataset.from_list(rows), processing_class=tokenizer,
                          callbacks=callbacks)  # fmt: skip


def _watcher(stage: Stage, tell: Tell) -> Any:
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            tell(stage, int(state.global_step), int(state.max_steps))

    return Watcher()


def _checkpoint(folder: Path) -> bool:
    return any(folder.glob("checkpoint-*"))


def _long(tokenizer: Any, pair: Pair) -> int:
    return max(len(tokenizer(pair.prompt + one)["input_ids"]) for one in (pair.chosen, pair.rejected)) + 1


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def written(model: Any, tokenizer: Any, prompts: Sequence[str], most: int = 120, at_once: int = 8) -> list[str]:
    """What the model writes after each prompt, the likeliest words first to last."""
    import torch

    tokenizer.padding_side = "left"
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    found: list[str] = []
    model.eval()
    for start in range(0, len(prompts), at_once):
        some = tokenizer(list(prompts[start : start + at_once]), return_tensors="pt", padding=True)
        with torch.no_grad():
            tokens = model.generate(**some, max_new_tokens=most, do_sample=False)
        found += tokenizer.batch_decode(tokens[:, some["input_ids"].shape[1] :], skip_special_tokens=True)
    return [text.strip() for text in found]
