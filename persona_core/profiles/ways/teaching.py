"""A generator of profiles learns from preference pairs: first to write as the chosen ones are written, then to prefer them (DPO).

Both are `trl`'s, over LoRA adapters on any base model. The reference of the second is what the first left. Nothing of a person but
the pair's own prompt is shown. Checkpoints are left every few steps, from which an interrupted training goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from persona_core.errors import PersonaError
from persona_core.llm.base_model import lora, needed
from persona_core.profiles.ways.preferences import Pair

Stage = Literal["sft", "dpo"]
STAGES: tuple[Stage, ...] = ("sft", "dpo")
MOVED = "moved to the better of held"
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
    loss: Literal["sigmoid", "robust", "sigmoid_norm"] = "sigmoid"
    """`robust` suits pairs that are noisy, `sigmoid_norm` counters length."""
    longest: int = 768
    """Tokens of a prompt and its answer; more are not cut but left out, since cutting would take the answer."""
    save_steps: int = 10
    seed: int = 7


@dataclass(frozen=True)
class Taught:
    """A generator with what it was taught: `wear` puts on one of its states, and it writes as that one."""

    model: Any
    tokenizer: Any
    states: Mapping[Stage, Mapping[str, Any]]
    """The adapters after each stage, by name."""
    notes: dict[str, Any]

    def wear(self, stage: Stage | None) -> None:
        """None: as the base model was."""
        for name, one in _adapters(self.model).items():
            one.data.copy_(self.states[stage][name]) if stage else one.data.zero_()


def teach(
    base: Any, tokenizer: Any, pairs: Sequence[Pair], recipe: Recipe, folder: Path, tell: Tell, held: Sequence[Pair] = ()
) -> Taught:
    """Both stages; of the pairs held back it is told how often the second moved it towards the better one."""
    needed("trl", "peft", "datasets")
    from peft import get_peft_model

    usable = [one for one in pairs if _long(tokenizer, one) <= recipe.longest]
    if not usable:
        raise PersonaError("There are no pairs to learn from.", mend="explore and judge first, or take another split")
    model: Any = get_peft_model(base, lora(recipe.rank))
    curves: dict[str, Any] = {}
    states: dict[Stage, dict[str, Any]] = {}
    known = [one for one in held if _long(tokenizer, one) <= recipe.longest]
    moved: float | None = None
    for stage in STAGES:
        trainer = _trainer(stage, model, tokenizer, usable, recipe, folder / stage, tell, known)
        trainer.train(resume_from_checkpoint=_checkpoint(folder / stage))
        if stage == "dpo" and known:
            moved = _moved(trainer)
        curves[stage] = [
            {name: round(float(value), 5) for name, value in row.items() if isinstance(value, int | float)}
            for row in trainer.state.log_history
            if "loss" in row
        ]
        model = trainer.model
        states[stage] = {name: one.detach().clone() for name, one in _adapters(model).items()}
    notes = {"pairs": len(usable), "left out as too long": len(pairs) - len(usable), "held": len(known), "curves": curves}
    return Taught(model, tokenizer, states, notes | {MOVED: moved})


def _adapters(model: Any) -> dict[str, Any]:
    """Those that are worn; the copy that stands as reference is not among them."""
    return {name: one for name, one in model.named_parameters() if "lora_" in name and ".default." in name}


def _moved(trainer: Any) -> float:
    """More than towards the other, of pairs that are not learned from. Before it nothing has moved: chance is the measure."""
    return round(float(trainer.evaluate()["eval_rewards/accuracies"]), 4)


def _trainer(
    stage: Stage, model: Any, tokenizer: Any, pairs: Sequence[Pair], recipe: Recipe, folder: Path, tell: Tell, held: Sequence[Pair]
) -> Any:
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
    asked, tried = ([{"prompt": one.prompt, "chosen": one.chosen, "rejected": one.rejected} for one in some] for some in (pairs, held))
    arguments = trl.DPOConfig(
        **common, num_train_epochs=recipe.dpo_epochs, learning_rate=recipe.dpo_rate, beta=recipe.beta, loss_type=recipe.loss,
        per_device_eval_batch_size=recipe.batch,
    )  # fmt: skip
    return trl.DPOTrainer(model=model, args=arguments, train_dataset=datasets.Dataset.from_list(asked), processing_class=tokenizer,
                          eval_dataset=datasets.Dataset.from_list(tried) if tried else None, callbacks=callbacks)  # fmt: skip


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


def written(
    model: Any, tokenizer: Any, prompts: Sequence[str], most: int = 120, at_once: int = 8, *, warmth: float = 0.0, seed: int = 7
) -> list[str]:
    """What the model writes after each prompt: the likeliest words first to last, or drawn where it is asked warm."""
    import torch

    tokenizer.padding_side = "left"
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    found: list[str] = []
    model.eval()
    torch.manual_seed(seed)
    how: dict[str, Any] = {"do_sample": True, "temperature": warmth} if warmth else {"do_sample": False}
    for start in range(0, len(prompts), at_once):
        some = tokenizer(list(prompts[start : start + at_once]), return_tensors="pt", padding=True)
        with torch.no_grad():
            tokens = model.generate(**some, max_new_tokens=most, **how)
        found += tokenizer.batch_decode(tokens[:, some["input_ids"].shape[1] :], skip_special_tokens=True)
    return [text.strip() for text in found]
