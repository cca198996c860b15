"""The cases of the encoder: every option of the configuration, every argument of a call.

No two axes of a case have the same length, so that a wrong one does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...config_fields import ACTIVATION_NAMES
from .cases import Case
from .drawing import Scales, draw, draw_ids
from .small import DROPOUT, IDS, MASK, READ, small_case

__all__ = ["encoder_cases"]


def encoder_cases() -> Iterator[Case]:
    """Give them in their order."""
    yield from _all_at_once()
    yield from _configurations()
    yield from _sizes()
    yield from _arguments()


# Two that show nearly every mistake


def _all_at_once() -> Iterator[Case]:
    """B 4, S 7, N 4, D 6, H 24, I 40, V 61, P 30, L 3.

    The mask and the padding are not the same: a hidden token that is no padding, padding that is
    seen, padding on the left of one text and on the right of another, and a text of which nothing
    may be looked at.
    """
    settings = {
        "vocab_size": 61,
        "hidden_size": 24,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 40,
        "max_position_embeddings": 30,
        "type_vocab_size": 3,
        **DROPOUT,
    }
    for name, pad, eps, tables in (
        ("every-step", 1, 1e-5, 0.02),
        ("every-step-again", 5, 1e-12, 0.5),
    ):
        ids = draw_ids(name, (4, 7), 61, (0, 1, 2, 5))
        ids[0][0], ids[1][5:], ids[2][:2], ids[3][4:] = 0, [pad] * 2, [pad] * 2, [pad] * 3
        mask = [[1, 1, 1, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1, 0], [0, 0, 1, 1, 1, 1, 1], [0] * 7]
        types = draw_ids(f"{name} types", (4, 7), 3)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        yield Case(
            name,
            "every step of the encoder and of the language-model head; nearly every mistake shows",
            {**settings, "pad_token_id": pad, "layer_norm_eps": eps},
            (given,),
            scales=Scales(tables=tables),
        )


# The configuration


def _configurations() -> Iterator[Case]:
    for name in ACTIVATION_NAMES:
        yield small_case(f"activation-{name}", f"hidden_act {name}", hidden_act=name)
    for kind in ("relative_key", "relative_key_query"):
        covers = f"position_embedding_type {kind}: scores depend on distances, no position is added"
        yield small_case(kind.replace("_", "-"), covers, position_embedding_type=kind)
    yield small_case(
        "chunks",
        "chunk_size_feed_forward 2 of 5 tokens: the same numbers, in pieces",
        chunk_size_feed_forward=2,
    )
    yield small_case(
        "eps-small",
        "layer_norm_eps 1e-12, with so small embeddings that 1e-5 would count",
        layer_norm_eps=1e-12,
        scales=Scales(tables=0.02),
    )
    yield small_case(
        "eps-large", "layer_norm_eps 0.1, which counts in every norm", layer_norm_eps=0.1
    )
    for pad in (0, 5):
        ids = [[3, 7, 21, 11, 2], [3, 8, 2, pad, pad]]
        yield small_case(
            f"pad-{pad}",
            f"pad_token_id {pad}: positions begin at {pad + 1}",
            {"input_ids": ids, "attention_mask": MASK},
            pad_token_id=pad,
            bos_token_id=3,
        )
    yield small_case(
        "untied",
        "tie_word_embeddings false: the decoder has a weight of its own, lm_head.decoder.weight",
        tie_word_embeddings=False,
    )
    yield small_case(
        "pruned-heads",
        "pruned_heads: layer 0 has lost a head of three, layer 1 two",
        num_hidden_layers=2,
        pruned_heads={0: [1], 1: [0, 2]},
    )
    yield small_case(
        "half-exact",
        "weights that float16 and bfloat16 hold exactly",
        scales=Scales(step=2.0**-7),
    )
    yield small_case(
        "peaked",
        "large weights: probabilities near 0 and 1, activations far from 0",
        scales=Scales(3.0, 2.0, 1.0),
    )
    yield small_case("flat", "small weights: scores near 0", scales=Scales(0.02, 0.02, 0.02))


def _sizes() -> Iterator[Case]:
    yield small_case(
        "no-layer", "num_hidden_layers 0: the head reads the embeddings", num_hidden_layers=0
    )
    yield small_case("one-token", "a single token, S = 1", {"input_ids": [[7], [0], [1]]})
    yield small_case("one-text", "a single text, B = 1", {"input_ids": [[0, 7, 21, 11, 2]]})
    yield small_case("one-head", "num_attention_heads 1", num_attention_heads=1)
    yield small_case("head-size-1", "as many heads as hidden units, D = 1", num_attention_heads=12)
    yield small_case("one-type", "type_vocab_size 1, as real checkpoints have", type_vocab_size=1)
    longest = draw_ids("longest", (2, 15), 23, (0, 1, 2))
    yield small_case(
        "longest", "as many tokens as the position table has rows for", {"input_ids": longest}
    )
    yield small_case(
        "longest-relative",
        "as many tokens as the distance table reaches",
        {"input_ids": draw_ids("longest relative", (2, 17), 23, (0, 1, 2))},
        position_embedding_type="relative_key",
    )


# The arguments of a call


def _arguments() -> Iterator[Case]:
    yield small_case(
        "no-mask",
        "without attention_mask padding is looked at, and has the padding's position",
        {"input_ids": IDS},
    )
    yield small_case(
        "all-masked",
        "a text of which nothing may be looked at: every key has the same weight, 1/S",
        {"input_ids": IDS, "attention_mask": [[0] * 5, [1, 1, 1, 0, 0]]},
    )
    yield small_case(
        "mask-of-queries",
        "attention_mask of three axes: a row for each query",
        {"input_ids": IDS, "attention_mask": draw_ids("mask", (2, 5, 5), 2)},
    )
    types = [[0, 1, 0, 1, 1], [1, 1, 0, 0, 1]]
    yield small_case("token-types", "token_type_ids", {**READ, "token_type_ids": types})
    positions = [[4, 2, 9, 16, 0], [3, 1, 1, 8, 5]]
    yield small_case(
        "position-ids", "position_ids of each text", {**READ, "position_ids": positions}
    )
    yield small_case(
        "position-ids-of-all",
        "position_ids of one axis, for all texts",
        {**READ, "position_ids": [6, 2, 9, 16, 0]},
    )
    yield small_case(
        "inputs-embeds",
        "inputs_embeds in place of ids: no token counts as padding, positions are 2, 3, 4 …",
        {"inputs_embeds": draw("embeds", (2, 5, 12), 0.5).tolist(), "attention_mask": MASK},
    )
    yield small_case(
        "head-mask",
        "head_mask of [heads], for all layers",
        {**READ, "head_mask": [1.0, 0.0, 0.5]},
        num_hidden_layers=2,
    )
    yield small_case(
        "head-mask-of-layers",
        "head_mask of [layers, heads]",
        {**READ, "head_mask": [[1.0, 0.0, 0.5], [0.0, 1.0, 0.25]]},
        num_hidden_layers=2,
    )
