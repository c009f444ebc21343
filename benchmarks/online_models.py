"""What models would cost that read twenty candidates one by one, and what the encoder costs in other forms."""

from __future__ import annotations

import importlib
import importlib.util
import json
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.small_model import LLAMA, WEIGHTS, SmallModel, weights
from persona_core.personas.needs import read_needs
from persona_core.profiles.building import Chosen, drafted
from persona_core.text.encoder import BaseEncoder
from persona_core.text.weights import check_weights

CANDIDATES = 20
MOST_TOKENS = 256
CONTEXT = 4096


def milliseconds(work: Callable[[int], Any], times: int) -> dict[str, float]:
    """Median and 95th percentile; the first time is not counted."""
    spent = []
    for at in range(-1, times):
        began = time.perf_counter()
        work(at)
        spent.append((time.perf_counter() - began) * 1000)
    return {"p50 ms": float(np.percentile(spent[1:], 50)), "p95 ms": float(np.percentile(spent[1:], 95))}


def profile_text(number: int = 0) -> str:
    places = [(number + 7 * at) % len(read_needs()) for at in range(4)]
    return drafted("-", Chosen(tuple((at, 1.0) for at in places[:3]), ((places[3], 1.0),))).text


def persona_texts(number: int = 0) -> list[str]:
    """About as long as a persona's name and description."""
    needs = read_needs()
    wanted = (needs[(number + at) % len(needs)] for at in range(CANDIDATES))
    return [f"{need.phrase}. They want {need.wants}. They decide {need.decides}. {need.seeds[0]}" for need in wanted]


def _torch_model() -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    folder = str(check_weights())
    model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)  # nosec B615 # from this disk
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)  # nosec B615 # from this disk
    return tokenizer, model.eval()


# Reading candidates one by one ---------------------------------------------------------------------------------------


def reranks(times: int, llm_times: int) -> list[dict[str, Any]]:
    return [_cross_encoder(times), _language_model(llm_times)]


def _cross_encoder(times: int) -> dict[str, Any]:
    """A forward pass over twenty pairs of a profile and a persona; the score would be a dot product more."""
    import torch

    tokenizer, model = _torch_model()

    def tokens_of(number: int) -> Any:
        pairs = [profile_text(number)] * CANDIDATES, persona_texts(number)
        return tokenizer(*pairs, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt")

    def read(number: int) -> Any:
        with torch.inference_mode():
            return model(**tokens_of(number)).last_hidden_state[:, 0]

    tokens = int(tokens_of(0)["attention_mask"].sum())
    reader = {"reader": "network of a MiniLM cross-encoder's size", **milliseconds(read, times)}
    return {**reader, "tokens": tokens, "answers": "cost only"}


def _language_model(times: int) -> dict[str, Any]:
    row: dict[str, Any] = {"reader": "Gemma 3 270M, one list of twenty", "p50 ms": None, "p95 ms": None, "tokens": None}
    if not all(importlib.util.find_spec(name) for name in (LLAMA, WEIGHTS)):
        return {**row, "answers": "not installed"}
    try:
        model = SmallModel(weights(), CONTEXT)
    except ModuleNotFoundError as error:  # its weights come in several packages
        return {**row, "answers": f"not all of it is installed: {error.name}"}
    spent, said = [], []
    for number in range(times):
        began = time.perf_counter()
        said.append(model.answer(_listwise(number)))
        spent.append((time.perf_counter() - began) * 1000)
    found = {"p50 ms": float(np.percentile(spent, 50)), "p95 ms": float(np.percentile(spent, 95)), "tokens": said[-1].prompt_tokens}
    orders = [order for answer in said if (order := order_in(answer.text))]
    same = sum(order == sorted(order) for order in orders)
    return {**row, **found, "answers": f"{len(orders)} of {times} name all twenty, {same} in the order they were listed in"}


def _listwise(number: int) -> dict[str, Any]:
    listed = "\n".join(f"{at}. {text}" for at, text in enumerate(persona_texts(number), start=1))
    asked = f"A person:\n{profile_text(number)}\n\nWhom things suit:\n{listed}\n\nTheir numbers, the best for the person first."
    place = {"type": "integer", "minimum": 1, "maximum": CANDIDATES}
    return {
        "messages": [{"role": "user", "content": asked}],
        "options": {"num_predict": 6 * CANDIDATES, "temperature": 0.0, "seed": number},
        "format": {"type": "array", "items": place, "minItems": CANDIDATES, "maxItems": CANDIDATES},
    }


def order_in(answer: str) -> list[int]:
    """Empty where it does not name all of them once."""
    try:
        order: list[int] = json.loads(answer)
        return order if sorted(order) == list(range(1, CANDIDATES + 1)) else []
    except (ValueError, TypeError):
        return []


# The encoder in other forms ------------------------------------------------------------------------------------------


def encoders(times: int) -> list[dict[str, Any]]:
    """One short text at a time; how near each form's vectors are to the exact ones."""
    texts = [need.phrase for need in read_needs()]
    exact = BaseEncoder()
    wanted = np.stack([exact.topics([text])[0] for text in texts])
    rows = [{"encoder": "numpy, as it is used", **milliseconds(lambda at: exact.topics([texts[at % len(texts)]]), times)}]
    rows[0] |= {"cosine mean": 1.0, "cosine least": 1.0}
    quantised = quantised_topics()
    if quantised is None:
        return [*rows, {"encoder": "torch, int8 dynamic: not in this torch"}]
    found = np.stack([quantised([text])[0] for text in texts])
    near = (wanted * found).sum(1)
    cost = milliseconds(lambda at: quantised([texts[at % len(texts)]]), times)
    rows.append({"encoder": "torch, int8 dynamic", **cost, "cosine mean": float(near.mean()), "cosine least": float(near.min())})
    return rows


def quantised_topics() -> Callable[[Sequence[str]], Any] | None:
    """The encoder's topics with its linear layers in 8 bits; None where this torch has no such thing any more."""
    import torch

    tokenizer, model = _torch_model()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it will be gone one day
            small = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)  # type: ignore[no-untyped-call]
    except (AttributeError, RuntimeError):
        return None

    def topics(texts: Sequence[str]) -> Any:
        with torch.inference_mode():
            tokens = tokenizer(list(texts), padding=True, truncation=True, max_length=128, return_tensors="pt")
            mask = tokens["attention_mask"].unsqueeze(-1)
            summed = (small(**tokens).last_hidden_state * mask).sum(1)
            return torch.nn.functional.normalize(summed / mask.sum(1), dim=1).numpy()

    return topics
