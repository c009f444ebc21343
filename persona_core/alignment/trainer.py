"""sentence-transformers' trainer, set up for profiles and personas: our batches, our loss, our look at the held-out pairs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from persona_core.alignment.batches import dealt, document_items, hidden_documents, keys_of
from persona_core.alignment.heldout import HeldOut
from persona_core.alignment.texts import TextPair
from persona_core.text.encoder import BATCH, LONGEST_TOKENS, Matrix
from persona_core.text.weights import check_weights

Tell = Callable[[int, int, str], None]
Log = Sequence[dict[str, Any]]
"""What the trainer notes as it goes, and keeps in every checkpoint."""


@dataclass(frozen=True, slots=True)
class FullRecipe:
    """How the encoder is fine-tuned."""

    epochs: int = 3
    batch: int = 32
    rate: float = 2e-5
    decay: float = 0.01
    warmup: float = 0.1
    """The share of all steps in which the rate rises to its full height; from there it falls to nothing."""
    temperature: float = 0.05
    held_out: float = 0.1
    """The share of people who are held out with all their pairs: profiles of one person are too alike to stand on both sides."""
    looks: int = 2
    """How often in an epoch the held-out pairs are looked at and a checkpoint is left."""
    patience: int = 3
    """After so many looks without a better one, training ends."""
    seed: int = 7


def base_model(seed: int) -> Any:
    """The packaged MiniLM as a sentence-transformer, cutting texts where serving cuts them."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.manual_seed(seed)
    model = SentenceTransformer(str(check_weights()), local_files_only=True, model_kwargs={"use_safetensors": True})
    model.max_seq_length = LONGEST_TOKENS
    return model


def bert_of(model: Any) -> Any:
    return model[0].auto_model


def encoded(model: Any, texts: list[str]) -> Matrix:
    rows: Matrix = model.encode(texts, batch_size=BATCH, convert_to_numpy=True, show_progress_bar=False)
    return rows


def trainer_for(
    model: Any, learning: Sequence[TextPair], held: HeldOut, checkpoints: Path, recipe: FullRecipe, before: float, tell: Tell
) -> Any:
    """sentence-transformers' trainer with batches of ours, and without a model card: it would quote people's profiles."""
    from sentence_transformers import SentenceTransformerTrainer
    from sentence_transformers.base.evaluation import BaseEvaluator
    from transformers import PrinterCallback

    class Trainer(SentenceTransformerTrainer):
        def get_batch_sampler(self, dataset: Any, batch_size: int, drop_last: bool, *_: Any, **__: Any) -> Any:
            return _sampler(dataset, learning, recipe)

        def add_model_card_callback(self, default_args_dict: Any) -> None:
            pass

        def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
            self.model.save_pretrained(output_dir or str(checkpoints), create_model_card=False)

    class Look(BaseEvaluator):
        def __call__(self, model: Any, output_path: str | None = None, epoch: int = -1, steps: int = -1) -> dict[str, float]:
            return {"ndcg": held.ndcg(lambda texts: encoded(model, texts))}

    look: Any = Look
    trainer = Trainer(
        model=model,
        args=_arguments(checkpoints, recipe, ceil(len(learning) / recipe.batch)),
        train_dataset=_dataset(learning),
        evaluator=look(),
        loss=_loss(model, learning, recipe.temperature),
        callbacks=[_watcher(before, recipe.patience, tell)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _sampler(dataset: Any, pairs: Sequence[TextPair], recipe: FullRecipe) -> Any:
    """Batches as `dealt` deals them, others in each epoch, the same ones again when training goes on from within an epoch."""
    from sentence_transformers.base.sampler import DefaultBatchSampler

    keys = [keys_of(one) for one in pairs]

    class Dealt(DefaultBatchSampler):
        def __iter__(self) -> Any:
            return iter(dealt(keys, recipe.batch, np.random.default_rng((recipe.seed, self.epoch))))

        def __len__(self) -> int:
            return ceil(len(keys) / recipe.batch)

    return Dealt(dataset, recipe.batch, drop_last=False)


def _arguments(checkpoints: Path, recipe: FullRecipe, batches: int) -> Any:
    from sentence_transformers import SentenceTransformerTrainingArguments

    every = ceil(batches / recipe.looks)
    return SentenceTransformerTrainingArguments(
        output_dir=str(checkpoints), num_train_epochs=recipe.epochs, per_device_train_batch_size=recipe.batch,
        learning_rate=recipe.rate, weight_decay=recipe.decay, warmup_steps=recipe.warmup, seed=recipe.seed, data_seed=recipe.seed,
        eval_strategy="steps", eval_steps=every, save_strategy="steps", save_steps=every, save_total_limit=2,
        metric_for_best_model="ndcg", greater_is_better=True, logging_strategy="no", logging_nan_inf_filter=False,
        report_to="none", disable_tqdm=True, dataloader_pin_memory=False,
    )  # fmt: skip


def _dataset(pairs: Sequence[TextPair]) -> Any:
    """Columns are read by their order. The label is the row's number, by which the loss knows whose it is."""
    # by name, because type checkers must do without it as well as with it
    datasets = importlib.import_module("datasets")
    width = max(len(one.negatives) for one in pairs)
    columns: dict[str, list[Any]] = {"anchor": [one.anchor for one in pairs], "positive": [one.positive for one in pairs]}
    for at in range(width):
        columns[f"negative_{at + 1}"] = [one.negatives[at] if at < len(one.negatives) else "" for one in pairs]
    return datasets.Dataset.from_dict(columns | {"label": list(range(len(pairs)))})


def _loss(model: Any, pairs: Sequence[TextPair], temperature: float) -> Any:
    """The ranking loss, from profiles to personas and back, in which nobody is held against an item that they came to."""
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from sentence_transformers.util import cos_sim

    items, own = document_items(pairs), [np.array(sorted(one.own | {one.item}), np.int32) for one in pairs]

    class OthersOnly(MultipleNegativesRankingLoss):
        def compute_loss_from_embeddings(self, embeddings: Any, labels: Any) -> Any:
            import torch

            rows: npt.NDArray[Any] = labels.cpu().numpy()
            hidden = torch.tensor(hidden_documents(items[rows], [own[row] for row in rows])).to(labels.device)
            # asked for all documents, then (from personas to profiles) for the positives alone, which come first
            self.similarity_fct = lambda profiles, personas: cos_sim(profiles, personas).masked_fill(
                hidden[:, : len(personas)], -torch.inf
            )
            return super().compute_loss_from_embeddings(embeddings, labels)

    return OthersOnly(
        model, scale=1 / temperature, directions=("query_to_doc", "doc_to_query"), partition_mode="per_direction"
    )  # fmt: skip


def _watcher(before: float, patience: int, tell: Tell) -> Any:
    """Tells of steps, logs the loss at each look, ends what gets no better. It knows nothing but the log, which checkpoints keep."""
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_log = control.should_log or control.should_evaluate
            tell(state.global_step, state.max_steps, "steps")

        def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_training_stop = control.should_training_stop or is_over(state.log_history, before, patience)

    return Watcher()


def looks_in(history: Log) -> list[tuple[int, float, float]]:
    """Of each look at the held-out pairs: after which step, the mean loss since the one before, and the NDCG."""
    losses = {one["step"]: float(one["loss"]) for one in history if "loss" in one}
    ndcgs = {one["step"]: float(one["eval_ndcg"]) for one in history if "eval_ndcg" in one}
    return [(step, losses.get(step, float("nan")), ndcg) for step, ndcg in sorted(ndcgs.items())]


def is_over(history: Log, before: float, patience: int) -> bool:
    values = [before, *(ndcg for _, _, ndcg in looks_in(history))]
    return len(values) - 1 - int(np.argmax(values)) >= patience
