"""A base model with only those words that some texts are made of: the same model to everybody who reads and writes such texts.

Most of a small model is its vocabulary, and meeting all of it at every place is most of the work of training. Adapters trained on
the narrow model fit the whole one: they do not touch the words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

LATIN = 256


def narrowed(model: Any, tokenizer: Any, texts: Iterable[str]) -> tuple[Any, Any]:
    """Both cut to the tokens of these texts, which are cut into the same tokens as before; others into smaller pieces.

    A tokenizer of a kind that cannot be cut is left whole, and so is the model.
    """
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    known = state["model"].get("vocab")
    if not isinstance(known, dict):
        return model, tokenizer
    every = known | {one["content"]: one["id"] for one in state["added_tokens"]}
    names = {place: token for token, place in every.items()}
    used = {place for text in texts for place in tokenizer(text)["input_ids"]}
    kept = _with_their_pieces({names[place] for place in used} | _always(every, tokenizer), state["model"].get("merges") or ())
    places = sorted({every[token] for token in kept if token in every})
    moved = {old: new for new, old in enumerate(places)}
    return _fewer_words(model, places, moved), _fewer_tokens(tokenizer, state, moved)


def _always(every: Mapping[str, int], tokenizer: Any) -> set[str]:
    """Single letters and bytes, out of which any text can be put together, and what has a meaning of its own."""
    simple = {token for token in every if (len(token) == 1 and ord(token) < LATIN) or token.startswith("<0x")}
    return simple | {"▁"} | {token for token in tokenizer.special_tokens_map.values() if isinstance(token, str)}


def _with_their_pieces(kept: set[str], merges: Iterable[Any]) -> set[str]:
    """And all from which they are merged, so that every merge that made them can be made again."""
    pairs = [_pair(one) for one in merges]
    while True:
        more = {piece for first, second in pairs if first + second in kept for piece in (first, second)} - kept
        if not more:
            return kept
        kept = kept | more


def _pair(merge: Any) -> tuple[str, str]:
    first, second = merge.split(" ") if isinstance(merge, str) else merge
    return first, second


def _fewer_tokens(tokenizer: Any, state: dict[str, Any], moved: Mapping[int, int]) -> Any:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    own = state["model"]
    own["vocab"] = {token: moved[place] for token, place in own["vocab"].items() if place in moved}
    if own.get("merges"):
        known = own["vocab"].keys()
        own["merges"] = [one for one in own["merges"] if {*_pair(one), "".join(_pair(one))} <= known]
    state["added_tokens"] = [one | {"id": moved[one["id"]]} for one in state["added_tokens"] if one["id"] in moved]
    for one in ((state.get("post_processor") or {}).get("special_tokens") or {}).values():
        one["ids"] = [moved[place] for place in one["ids"]]
    named = {name: token for name, token in tokenizer.special_tokens_map.items() if isinstance(token, str)}
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=Tokenizer.from_str(json.dumps(state)), **named
    )


def _fewer_words(model: Any, places: list[int], moved: Mapping[int, int]) -> Any:
    import torch

    words = model.get_input_embeddings()
    rows = words.weight.detach()[torch.tensor(places)].clone()
    words.weight = torch.nn.Parameter(rows, requires_grad=False)
    words.num_embeddings = len(places)
    words.padding_idx = None
    head = model.get_output_embeddings()
    if model.config.get_text_config().tie_word_embeddings:
        head.weight = words.weight
    else:
        head.weight = torch.nn.Parameter(head.weight.detach()[torch.tensor(places)].clone(), requires_grad=False)
    head.out_features = len(places)
    for config in {id(one): one for one in (model.config, model.config.get_text_config(), model.generation_config)}.values():
        for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
            _move(config, name, moved)
        if hasattr(config, "vocab_size"):
            config.vocab_size = len(places)
    return model


def _move(config: Any, name: str, moved: Mapping[int, int]) -> None:
    old = getattr(config, name, None)
    if isinstance(old, int):
        setattr(config, name, moved.get(old))
    elif isinstance(old, list | tuple):
        setattr(config, name, [moved[one] for one in old if one in moved] or None)
