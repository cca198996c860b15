"""The cases whose output is scores and losses: every option of the configuration, every class.

No two axes of a case have the same length, so that a wrong one does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...config import ACTIVATION_NAMES
from .cases import Case
from .drawing import Scales, draw, draw_ids

__all__ = ["forward_cases"]

#: Dropout, which nothing may feel that only reads.
DROPOUT = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
#: With B 2 and S 5 no two axes have the same length: N 3, D 4, H 12, I 20, V 23, P 17.
SMALL: dict[str, Any] = {
    "vocab_size": 23,
    "hidden_size": 12,
    "num_hidden_layers": 1,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 17,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-5,
    **DROPOUT,
}
#: In the first text a token in the middle is masked, in the second padding is on the right.
IDS = [[0, 7, 21, 11, 2], [0, 5, 2, 1, 1]]
MASK = [[1, 1, 0, 1, 1], [1, 1, 1, 0, 0]]
READ = {"input_ids": IDS, "attention_mask": MASK}

POOLER = ("pooler",)
LOGITS = ("lm_head.logits",)
SCORED = (*LOGITS, "loss")
CLASSES = ("classifier.logits", "loss")
SPANS = ("qa_outputs.start_logits", "qa_outputs.end_logits", "loss")


def forward_cases() -> Iterator[Case]:
    """Give them in their order."""
    yield from _all_at_once()
    yield from _configurations()
    yield from _sizes()
    yield from _arguments()
    yield from _classes()
    yield from _decoders()
    yield _training()


def _case(name: str, covers: str, *calls: dict[str, Any], **more: Any) -> Case:
    """Give a case of the small model, with some fields of its configuration and of the case."""
    own = ("architecture", "outputs", "scales", "options", "generate")
    settings = {**SMALL, **{field: more[field] for field in more if field not in own}}
    rest = {field: more[field] for field in own if field in more}
    return Case(name, covers, settings, calls or (READ,), **rest)


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
        yield _case(f"activation-{name}", f"hidden_act {name}", hidden_act=name)
    for kind in ("relative_key", "relative_key_query"):
        covers = f"position_embedding_type {kind}: scores depend on distances, no position is added"
        yield _case(kind.replace("_", "-"), covers, position_embedding_type=kind)
    yield _case(
        "chunks",
        "chunk_size_feed_forward 2 of 5 tokens: the same numbers, in pieces",
        chunk_size_feed_forward=2,
    )
    yield _case("eps-small", "layer_norm_eps 1e-12", layer_norm_eps=1e-12)
    yield _case("eps-large", "layer_norm_eps 0.1, which counts in every norm", layer_norm_eps=0.1)
    for pad in (0, 5):
        ids = [[3, 7, 21, 11, 2], [3, 8, 2, pad, pad]]
        yield _case(
            f"pad-{pad}",
            f"pad_token_id {pad}: positions begin at {pad + 1}",
            {"input_ids": ids, "attention_mask": MASK},
            pad_token_id=pad,
            bos_token_id=3,
        )
    yield _case(
        "untied",
        "tie_word_embeddings false: the decoder has a weight of its own, lm_head.decoder.weight",
        tie_word_embeddings=False,
    )
    yield _case(
        "pruned-heads",
        "pruned_heads: layer 0 has lost a head of three, layer 1 two",
        num_hidden_layers=2,
        pruned_heads={0: [1], 1: [0, 2]},
    )
    yield _case(
        "half-exact",
        "weights that float16 and bfloat16 hold exactly",
        scales=Scales(step=2.0**-7),
    )
    yield _case(
        "peaked",
        "large weights: probabilities near 0 and 1, activations far from 0",
        scales=Scales(3.0, 2.0, 1.0),
    )
    yield _case("flat", "small weights: scores near 0", scales=Scales(0.02, 0.02, 0.02))


def _sizes() -> Iterator[Case]:
    yield _case(
        "no-layer", "num_hidden_layers 0: the head reads the embeddings", num_hidden_layers=0
    )
    yield _case("one-token", "a single token, S = 1", {"input_ids": [[7], [0], [1]]})
    yield _case("one-text", "a single text, B = 1", {"input_ids": [[0, 7, 21, 11, 2]]})
    yield _case("one-head", "num_attention_heads 1", num_attention_heads=1)
    yield _case("head-size-1", "as many heads as hidden units, D = 1", num_attention_heads=12)
    yield _case("one-type", "type_vocab_size 1, as real checkpoints have", type_vocab_size=1)
    longest = draw_ids("longest", (2, 15), 23, (0, 1, 2))
    yield _case(
        "longest", "as many tokens as the position table has rows for", {"input_ids": longest}
    )
    yield _case(
        "longest-relative",
        "as many tokens as the distance table reaches",
        {"input_ids": draw_ids("longest relative", (2, 17), 23, (0, 1, 2))},
        position_embedding_type="relative_key",
    )


# The arguments of a call


def _arguments() -> Iterator[Case]:
    yield _case(
        "no-mask",
        "without attention_mask padding is looked at, and has the padding's position",
        {"input_ids": IDS},
    )
    yield _case(
        "all-masked",
        "a text of which nothing may be looked at: every key has the same weight, 1/S",
        {"input_ids": IDS, "attention_mask": [[0] * 5, [1, 1, 1, 0, 0]]},
    )
    yield _case(
        "mask-of-queries",
        "attention_mask of three axes: a row for each query",
        {"input_ids": IDS, "attention_mask": draw_ids("mask", (2, 5, 5), 2)},
    )
    types = [[0, 1, 0, 1, 1], [1, 1, 0, 0, 1]]
    yield _case("token-types", "token_type_ids", {**READ, "token_type_ids": types})
    positions = [[4, 2, 9, 16, 0], [3, 1, 1, 8, 5]]
    yield _case("position-ids", "position_ids of each text", {**READ, "position_ids": positions})
    yield _case(
        "position-ids-of-all",
        "position_ids of one axis, for all texts",
        {**READ, "position_ids": [6, 2, 9, 16, 0]},
    )
    yield _case(
        "inputs-embeds",
        "inputs_embeds in place of ids: no token counts as padding, positions are 2, 3, 4 …",
        {"inputs_embeds": draw("embeds", (2, 5, 12), 0.5).tolist(), "attention_mask": MASK},
    )
    yield _case(
        "head-mask",
        "head_mask of [heads], for all layers",
        {**READ, "head_mask": [1.0, 0.0, 0.5]},
        num_hidden_layers=2,
    )
    yield _case(
        "head-mask-of-layers",
        "head_mask of [layers, heads]",
        {**READ, "head_mask": [[1.0, 0.0, 0.5], [0.0, 1.0, 0.25]]},
        num_hidden_layers=2,
    )


# The classes, and their losses


def _classes() -> Iterator[Case]:
    yield _case("base", "RobertaModel with its pooler", architecture="RobertaModel", outputs=POOLER)
    yield _case(
        "base-without-pooler",
        "RobertaModel without a pooler",
        architecture="RobertaModel",
        outputs=("encoder.layer.0.output.LayerNorm",),
        options={"add_pooling_layer": False},
    )
    labels = [[-100, 3, -100, 9, 2], [22, -100, 0, -100, -100]]
    for name, covers, given in (
        ("masked-lm-loss", "the loss of masked words; -100 does not count", labels),
        ("masked-lm-no-label", "no label counts: the loss is NaN", [[-100] * 5] * 2),
    ):
        yield _case(name, covers, {**READ, "labels": given}, outputs=SCORED)
    yield from _classifiers()
    yield _case(
        "tokens",
        "RobertaForTokenClassification; -100 does not count",
        {**READ, "labels": [[-100, 3, 0, 1, -100], [-100, 2, -100, -100, -100]]},
        architecture="RobertaForTokenClassification",
        outputs=CLASSES,
        num_labels=4,
    )
    spans = {"start_positions": [1, 0], "end_positions": [4, 2]}
    beyond = {"start_positions": [-100, 2], "end_positions": [5, 1]}
    for name, covers, positions in (
        ("span", "RobertaForQuestionAnswering", spans),
        ("span-out-of-range", "a position behind the end is ignored, a negative one is 0", beyond),
    ):
        yield _case(
            name,
            covers,
            {**READ, **positions},
            architecture="RobertaForQuestionAnswering",
            outputs=SPANS,
        )
    yield _case(
        "choice",
        "RobertaForMultipleChoice: four choices of each of two texts, rows of the batch",
        {
            "input_ids": draw_ids("choices", (2, 4, 5), 23, (0,)),
            "attention_mask": draw_ids("choices mask", (2, 4, 5), 2),
            "labels": [3, 1],
        },
        architecture="RobertaForMultipleChoice",
        outputs=CLASSES,
    )


def _classifiers() -> Iterator[Case]:
    decisions = [[1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.5, 0.0]]
    numbers = [[1.5, 0.0, -1.0, 2.0], [0.25, 0.0, 1.0, -3.0]]
    for problem, covers, labels in (
        ("single_label_classification", "cross-entropy of one class", [3, 0]),
        ("multi_label_classification", "yes or no for each class", decisions),
        ("regression", "mean squared error of several numbers", numbers),
        (None, "which a single class makes a regression of one number", [0.5, -2.25]),
    ):
        yield _case(
            (problem or "regression_of_one").replace("_", "-"),
            f"RobertaForSequenceClassification, {problem or 'no problem_type'}: {covers}",
            {**READ, "labels": labels},
            architecture="RobertaForSequenceClassification",
            outputs=CLASSES,
            num_labels=4 if problem else 1,
            problem_type=problem,
            classifier_dropout=0.3,
        )


# Decoders


def _decoders() -> Iterator[Case]:
    decoder: dict[str, Any] = {"architecture": "RobertaForCausalLM", "is_decoder": True}
    yield _case(
        "decoder", "RobertaForCausalLM: each token looks back only", **decoder, outputs=LOGITS
    )
    yield _case(
        "decoder-loss",
        "each token's logits and the label of the next",
        {**READ, "labels": [[0, 7, -100, 11, 2], [0, 5, 2, -100, -100]]},
        **decoder,
        outputs=SCORED,
    )
    yield _case(
        "decoder-loss-of-items",
        "num_items_in_batch: what the sum of the losses is divided by",
        {**READ, "labels": [[0, 7, -100, 11, 2], [0, 5, 2, -100, -100]], "num_items_in_batch": 3},
        **decoder,
        outputs=SCORED,
    )
    for kind in ("absolute", "relative_key_query"):
        yield _case(
            f"cache-{kind.replace('_', '-')}",
            "three calls with a cache of keys and values, texts padded on the left; the mask is "
            "that of all tokens so far, and padding is not counted as a position",
            *_STEPS,
            **decoder,
            num_hidden_layers=2,
            position_embedding_type=kind,
            outputs=_of_calls(LOGITS, 3),
        )
    text = draw("encoder", (2, 6, 12), 1.0).tolist()
    across = {
        "encoder_hidden_states": text,
        "encoder_attention_mask": [[1] * 6, [1, 1, 0, 1, 0, 0]],
    }
    yield _case(
        "cross-attention",
        "add_cross_attention: the decoder looks at six tokens of an encoder's",
        {**READ, **across},
        **decoder,
        add_cross_attention=True,
        outputs=LOGITS,
    )
    yield _case(
        "cross-attention-cache",
        "the cache keeps the keys and values of the encoder's text, too",
        *({**step, **across} for step in _STEPS),
        **decoder,
        add_cross_attention=True,
        outputs=_of_calls(LOGITS, 3),
    )


_LEFT = [[0, 0, 1, 1], [1, 1, 1, 1]]
_STEPS = (
    {"input_ids": [[1, 1, 0, 7], [0, 9, 21, 4]], "attention_mask": _LEFT},
    {"input_ids": [[12], [6]], "attention_mask": [[*row, 1] for row in _LEFT]},
    {"input_ids": [[13, 3], [8, 10]], "attention_mask": [[*row, 1, 1, 1] for row in _LEFT]},
)


def _of_calls(outputs: tuple[str, ...], calls: int) -> tuple[str, ...]:
    """Name the outputs of all calls."""
    later = (f"call.{k}.{name}" for k in range(1, calls) for name in outputs)
    return (*outputs, *later)


def _training() -> Case:
    return _case(
        "training",
        "dropout: what is kept is given, as LayerNorm.dropout.kept and so on, and the rest scaled",
        {**READ, "labels": [[-100, 3, -100, 9, 2], [22, -100, 0, -100, -100]], "train": True},
        outputs=SCORED,
        hidden_dropout_prob=0.25,
        attention_probs_dropout_prob=0.5,
    )
