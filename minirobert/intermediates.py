"""The one table of what a forward pass computes: each tensor's name, its axes and its formula.

It is to `minirobert.observe` what `minirobert.parameters` is to a checkpoint: a model that is
watched shows these tensors, under these names, in this order, and no others.

>>> from minirobert import RobertaConfig
>>> for name, one in intermediates(RobertaConfig(num_hidden_layers=0)).items():
...     print(f"{name:40} {one.axes:24} {one.formula}")
input_ids                                [B, S]                   models.inputs.check_inputs
token_type_ids                           [B, S]                   models.inputs.check_inputs
position_ids                             [B, S]
                                         embeddings.create_position_ids_from_input_ids
attend                                   [1 or B, 1, 1 or S, T]   attention.attend_mask
roberta.embeddings.word_embeddings       [B, S, H]                functional.embedding
roberta.embeddings.token_type_embeddings [B, S, H]                functional.embedding
roberta.embeddings.position_embeddings   [B, S, H]                functional.embedding
roberta.embeddings.sum                   [B, S, H]                embeddings.embed
roberta.embeddings.LayerNorm             [B, S, H]                functional.layer_norm
roberta.embeddings                       [B, S, H]                embeddings.embed
lm_head.dense                            [B, S, H]                functional.linear
lm_head.gelu                             [B, S, H]                functional.gelu
lm_head.layer_norm                       [B, S, H]                functional.layer_norm
lm_head.logits                           [B, S, V]                functional.linear
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from .config import RobertaConfig
from .parameters import Head, head_of

__all__ = ["Intermediate", "Pass", "Row", "dropped_rows", "intermediates", "pooler_rows"]


class Intermediate(NamedTuple):
    """One tensor of a forward pass."""

    axes: str  # as ``"[B, N, S, T]"``, in the letters of `minirobert.arrays.AXES`
    formula: str  # the file and function that compute it, as ``"attention.self_attention"``


#: A line of the table: a name, and its tensor.
Row: TypeAlias = tuple[str, Intermediate]


@dataclass(frozen=True)
class Pass:
    """What kind of forward pass it is, as far as that decides which tensors there are.

    Parameters
    ----------
    ids : bool
        Whether it was given ``input_ids``, and not ``inputs_embeds``.
    train : bool
        Whether dropout drops, wherever its probability is not 0.
    head_mask, labels : bool
        Whether they were given.
    cross : bool
        Whether a decoder looks at an encoder's text.
    cached_cross : bool
        Whether it has the keys and values of this text from an earlier call.
    length : int, optional
        S, which is needed with ``chunk_size_feed_forward`` alone: it says how many chunks there
        are.
    """

    ids: bool = True
    train: bool = False
    head_mask: bool = False
    labels: bool = False
    cross: bool = False
    cached_cross: bool = False
    length: int | None = None


def intermediates(
    config: RobertaConfig,
    architecture: str | Head = "RobertaForMaskedLM",
    *,
    add_pooling_layer: bool = True,
    kind: Pass = Pass(),
) -> dict[str, Intermediate]:
    """List the intermediate tensors of a forward pass, in the order of the computation.

    Parameters
    ----------
    config : RobertaConfig
    architecture : str
        The model's class, such as ``"RobertaModel"`` or ``"RobertaForMaskedLM"``, or a head.
    add_pooling_layer : bool
        Whether ``RobertaModel`` has a pooler; the other classes decide that for themselves.
    kind : Pass
        By default a pass that is given ids, without training or labels.

    Returns
    -------
    dict of str to Intermediate
        By the name under which `minirobert.watch` shows it.

    Raises
    ------
    ValueError
        If the architecture is not known, or chunks cannot be counted without a length.
    """
    if architecture == "RobertaModel":
        pooler = pooler_rows(0.0, kind) if add_pooling_layer else ()
        return dict([*_inputs(config, kind), *_base(config, kind), *pooler])
    head = head_of(architecture)
    rows = [*_inputs(config, kind), *_under("roberta.", _base(config, kind))]
    if head.choices:  # which are rows of the batch
        rows = [(name, one._replace(axes=one.axes.replace("B,", "B C,"))) for name, one in rows]
    rows += head.intermediates(config, kind)
    if kind.labels:
        rows.append(("loss", Intermediate("[]", "losses")))
    return dict(rows)


def _inputs(config: RobertaConfig, kind: Pass) -> Iterator[Row]:
    """List what is read, after all defaults."""
    if kind.ids:
        yield "input_ids", Intermediate("[B, S]", "models.inputs.check_inputs")
    yield "token_type_ids", Intermediate("[B, S]", "models.inputs.check_inputs")
    if config.position_embedding_type == "absolute":
        given = "input_ids" if kind.ids else "inputs_embeds"
        formula = f"embeddings.create_position_ids_from_{given}"
        yield "position_ids", Intermediate("[B, S]", formula)
    yield "attend", Intermediate("[1 or B, 1, 1 or S, T]", "attention.attend_mask")


def _base(config: RobertaConfig, kind: Pass) -> Iterator[Row]:
    yield from _under("embeddings.", _embeddings(config, kind))
    yield "embeddings", Intermediate("[B, S, H]", "embeddings.embed")
    for i in range(config.num_hidden_layers):
        yield from _under(f"encoder.layer.{i}.", _layer(config, kind))


def _embeddings(config: RobertaConfig, kind: Pass) -> Iterator[Row]:
    yield "word_embeddings", Intermediate("[B, S, H]", "functional.embedding")
    yield "token_type_embeddings", Intermediate("[B, S, H]", "functional.embedding")
    if config.position_embedding_type == "absolute":
        yield "position_embeddings", Intermediate("[B, S, H]", "functional.embedding")
    yield "sum", Intermediate("[B, S, H]", "embeddings.embed")
    norm = Intermediate("[B, S, H]", "functional.layer_norm")
    yield from dropped_rows("LayerNorm", norm, config.hidden_dropout_prob, kind)


def _layer(config: RobertaConfig, kind: Pass) -> Iterator[Row]:
    yield from _under("attention.self.", _self_attention(config, kind))
    yield from _under("attention.output.", _add_and_norm("[B, S, H]", config, kind))
    if kind.cross:
        yield from _under("crossattention.self.", _cross_attention(config, kind))
        yield from _under("crossattention.output.", _add_and_norm("[B, S, H]", config, kind))
    if not config.chunk_size_feed_forward:
        yield from _feed_forward("S", config, kind)
        return
    if kind.length is None:
        raise ValueError(
            "chunk_size_feed_forward divides the sequence, so the table depends on its length: "
            "give it, as Pass(length=…)"
        )
    for k, start in enumerate(range(0, kind.length, config.chunk_size_feed_forward)):
        size = min(config.chunk_size_feed_forward, kind.length - start)
        yield from _under(f"chunk.{k}.", _feed_forward(str(size), config, kind))


def _self_attention(config: RobertaConfig, kind: Pass) -> Iterator[Row]:
    for name in ("query", "key", "value"):
        yield from _heads(name, "S", "self_attention")
    if config.position_embedding_type != "absolute":
        yield "distance_embedding", Intermediate("[S, T, D]", "attention.relative_scores")
    yield from _gathered("T", "self_attention", config, kind)


def _cross_attention(config: RobertaConfig, kind: Pass) -> Iterator[Row]:
    yield from _heads("query", "S", "cross_attention")
    if not kind.cached_cross:
        for name in ("key", "value"):
            yield from _heads(name, "E", "cross_attention")
    yield from _gathered("E", "cross_attention", config, kind)


def _heads(name: str, tokens: str, function: str) -> Iterator[Row]:
    """List the queries, keys or values, before they are split into heads and after."""
    yield f"{name}.dense", Intermediate(f"[B, {tokens}, N D]", "functional.linear")
    yield name, Intermediate(f"[B, N, {tokens}, D]", f"attention.{function}")


def _gathered(keys: str, function: str, config: RobertaConfig, kind: Pass) -> Iterator[Row]:
    axes = f"[B, N, S, {keys}]"
    yield "scores", Intermediate(axes, f"attention.{function}")
    yield "scores.masked", Intermediate(axes, "attention.mask")
    probabilities = Intermediate(axes, "functional.softmax")
    p = config.attention_probs_dropout_prob
    yield from dropped_rows("probabilities", probabilities, p, kind)
    if kind.head_mask:
        yield "probabilities.head_mask", Intermediate(axes, f"attention.{function}")
    yield "context", Intermediate("[B, S, N D]", f"attention.{function}")


def _feed_forward(length: str, config: RobertaConfig, kind: Pass) -> Iterator[Row]:
    yield "intermediate.dense", Intermediate(f"[B, {length}, I]", "functional.linear")
    yield "intermediate", Intermediate(f"[B, {length}, I]", "functional.ACTIVATIONS")
    yield from _under("output.", _add_and_norm(f"[B, {length}, H]", config, kind))


def _add_and_norm(axes: str, config: RobertaConfig, kind: Pass) -> Iterator[Row]:
    dense = Intermediate(axes, "functional.linear")
    yield from dropped_rows("dense", dense, config.hidden_dropout_prob, kind)
    yield "sum", Intermediate(axes, "encoder.add_and_norm")
    yield "LayerNorm", Intermediate(axes, "functional.layer_norm")


def pooler_rows(p: float, kind: Pass) -> Iterator[Row]:
    """List what the pooler computes."""
    yield "pooler.dense", Intermediate("[B, H]", "functional.linear")
    yield from dropped_rows("pooler", Intermediate("[B, H]", "heads.pooler"), p, kind)


def dropped_rows(name: str, one: Intermediate, p: float, kind: Pass) -> Iterator[Row]:
    """List a tensor, and in training what dropout makes of it."""
    yield name, one
    if kind.train and p > 0:
        yield f"{name}.dropout.kept", Intermediate(one.axes, "functional.dropout_mask")
        yield f"{name}.dropout", Intermediate(one.axes, "functional.apply_dropout")


def _under(prefix: str, rows: Iterator[Row]) -> Iterator[Row]:
    return ((prefix + name, one) for name, one in rows)
