r"""Maps from the names that other implementations give their tensors.

Tried on what these implementations really give:

- ``transformers``: the paths of modules, as hooks on torch see their outputs. Before dropout and
  after it are the same in evaluation; a trace in training is made with
  `minirobert.numerics.torch_port.trace_torch`, which tells them apart.
- ``transformers-onnx``: the values of a graph that torch's older exporter (``dynamo=False``) makes
  of it with eager attention, and ``transformers-onnx-sdpa`` with the other. With relative positions
  ``embeddings/Add_2`` does not exist: name the sum yourself.
- ``transformers.js``: its models are such graphs; a name for the first of the two.

Written from the source of these implementations, and tried on names alone:

- ``fairseq``: the paths of modules of its RoBERTa, sequence first. ``self_attn`` gives a tuple:
  take the first.
- ``candle``: the paths of a checkpoint, or the fields of its structs; those of tch are the same.
- ``flax``: ``capture_intermediates`` of transformers' FlaxRoberta, its tree flattened with dots or
  slashes.
- ``mlx``: the modules of the BERT among mlx-examples, whose pooler is its dense layer.
- ``ggml``: the callbacks of llama.cpp's BERT graph (``Qcur-0``), which computes one text, or the
  tensors of a GGUF file (``blk.0.attn_q``). ``kqv_out-0`` comes twice there: the second is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from .lines import NameMap, name_map

__all__ = ["MAPS", "built_in"]

_QKV = ("query", "key", "value")


def _module(path: str, ours: str | None, layout: str | None = None) -> list[str | None]:
    """Write the line of a module, within whatever wrapper, after dots or slashes.

    In Flax it is the module's ``__call__`` that has a tensor, or a tuple of several.
    """
    steps = path.replace(".", "[./]")
    return [rf"(?:.*[./])?{steps}(?:[./]__call__(?:[./]0)*)?", ours, layout]


_LAYER = "encoder.layer.([0-9]+)"

#: The modules of transformers' RoBERTa, but for the decoder of its head.
_MODULES = [
    *(
        _module(f"embeddings.{one}", f"embeddings.{one}")
        for one in ("word_embeddings", "token_type_embeddings", "position_embeddings", "LayerNorm")
    ),
    _module("embeddings(?:.dropout)?", "embeddings"),
    *(
        _module(
            f"{_LAYER}.(attention|crossattention){path}", rf"encoder.layer.\1.\2.{ours}", *layout
        )
        for path, ours, *layout in (
            *((f".self.{one}", f"self.{one}", "split") for one in _QKV),
            (".self.distance_embedding", "self.distance_embedding"),
            (".self.dropout", "self.probabilities"),
            (".self", "self.context"),
            (".output.(?:dense|dropout)", "output.dense"),
            ("(?:.output(?:.LayerNorm)?)?", "output.LayerNorm"),
        )
    ),
    *(
        _module(f"{_LAYER}{path}", rf"encoder.layer.\1.{ours}")
        for path, ours in (
            (".intermediate.dense", "intermediate.dense"),
            (".intermediate(?:.(?:intermediate_act_fn|activation))?", "intermediate"),
            (".output.(?:dense|dropout)", "output.dense"),
            ("(?:.output(?:.LayerNorm)?)?", "output.LayerNorm"),
        )
    ),
    _module("encoder(?:.layer)?", "encoder.layer.{last}.output.LayerNorm"),
    _module("pooler.dense", "pooler.dense"),
    _module("pooler(?:.activation)?", "pooler"),
    *(_module(f"lm_head.{one}", f"lm_head.{one}") for one in ("dense", "layer_norm")),
    _module("lm_head", "lm_head.logits"),
    _module("classifier.dense", "classifier.dense"),
    _module("classifier(?:.out_proj)?", "classifier.logits"),
    _module("qa_outputs", "qa_outputs.logits"),
    _module("(?:roberta|dropout|classifier.dropout)?", None),
]
_TRANSFORMERS = [_module("lm_head.decoder", "lm_head.logits"), *_MODULES]
_FLAX = [_module("lm_head.decoder", None), *_MODULES]  # there it has no bias


def _onnx(scores: str, scale: str) -> list[list[str | None]]:
    """List the values of transformers' export, by the operation that makes the scores."""
    base = r"/?(?:roberta/)?"
    layer = base + r"encoder/layer\.(\d+)/"
    attention = layer + r"(attention|crossattention)/"
    norm = r"LayerNorm/(?:LayerNormalization|Add_1)"
    ours = r"encoder.layer.\1."
    lines: list[list[str | None]] = [
        [
            base + r"embeddings/(word|token_type|position)_embeddings/Gather",
            r"embeddings.\1_embeddings",
        ],
        [base + r"embeddings/Add", "position_ids"],
        [base + r"embeddings/Add_1", None],  # of word and token type
        [base + r"embeddings/Add_2", "embeddings.sum"],
        [base + r"embeddings/" + norm, "embeddings.LayerNorm"],
        [attention + r"self/(query|key|value)/Add", ours + r"\2.self.\3", "split"],
        [attention + rf"self/{scores}", ours + r"\2.self.scores"],
        [attention + rf"self/{scale}", None],
        [attention + r"self/Add", ours + r"\2.self.scores.masked"],
        [attention + r"self/Softmax", ours + r"\2.self.probabilities"],
        [attention + r"self/Reshape_3", ours + r"\2.self.context"],
        [attention + r"output/dense/Add", ours + r"\2.output.dense"],
        [attention + r"output/Add", ours + r"\2.output.sum"],
        [attention + r"output/" + norm, ours + r"\2.output.LayerNorm"],
        [layer + r"intermediate/dense/Add", ours + "intermediate.dense"],
        [layer + r"intermediate/intermediate_act_fn/(?:Mul_1|Gelu|Relu)", ours + "intermediate"],
        [layer + r"output/dense/Add", ours + "output.dense"],
        [layer + r"output/Add", ours + "output.sum"],
        [layer + r"output/" + norm, ours + "output.LayerNorm"],
        [base + r"pooler/dense/Gemm", "pooler.dense"],
        [base + r"pooler/activation/Tanh", "pooler"],
        [r"/?lm_head/dense/Add", "lm_head.dense"],
        [r"/?lm_head/(?:Mul_1|Gelu)", "lm_head.gelu"],
        [r"/?lm_head/layer_norm/(?:LayerNormalization|Add_1)", "lm_head.layer_norm"],
        [r"/?lm_head/decoder/Add", "lm_head.logits"],
        [r"/?classifier/dense/Gemm", "classifier.dense"],
        [r"/?classifier/Tanh", "classifier.tanh"],
        [r"/?classifier/(?:Add|Gemm|out_proj/Gemm)", "classifier.logits"],
        [r"/?qa_outputs/Add", "qa_outputs.logits"],
    ]
    return [[f"{line[0]}(?:_output_0)?", *line[1:]] for line in lines]


_SENTENCE = r"(?:model\.)?(?:encoder|decoder)\.sentence_encoder\."
_FAIRSEQ = [
    [_SENTENCE + r"embed_tokens", "embeddings.word_embeddings"],
    [_SENTENCE + r"embed_positions", "embeddings.position_embeddings"],
    [_SENTENCE + r"(?:layernorm_embedding|emb_layer_norm)", "embeddings.LayerNorm"],
    *(
        [
            _SENTENCE + rf"layers\.(\d+)\.self_attn\.{one[0]}_proj",
            rf"encoder.layer.\1.attention.self.{one}",
            "[S,B,H]",
        ]
        for one in _QKV
    ),
    *(
        [_SENTENCE + rf"layers\.(\d+){theirs}", rf"encoder.layer.\1.{ours}", layout]
        for theirs, ours, layout in (
            (r"\.self_attn(?:\.out_proj)?", "attention.output.dense", "[S,B,H]"),
            (r"\.self_attn_layer_norm", "attention.output.LayerNorm", "[S,B,H]"),
            (r"\.fc1", "intermediate.dense", "[S,B,I]"),
            (r"\.activation_dropout_module", "intermediate", "[S,B,I]"),
            (r"\.fc2", "output.dense", "[S,B,H]"),
            (r"(?:\.final_layer_norm)?", "output.LayerNorm", "[S,B,H]"),
        )
    ),
    [r"(?:model\.)?(?:encoder|decoder)\.lm_head\.(dense|layer_norm)", r"lm_head.\1"],
    [r"(?:model\.)?(?:encoder|decoder)\.lm_head", "lm_head.logits"],
    [r"(?:model\.)?classification_heads\.[^.]+\.dense", "classifier.dense"],
    [r"(?:model\.)?classification_heads\.[^.]+(?:\.out_proj)?", "classifier.logits"],
    [r".*\.dropout_module|(?:.*\.)?dropout", None],
]

_CANDLE = [
    [r"(.*embeddings)\.layer_?norm", r"\1.LayerNorm"],
    *(
        [
            rf"(.*)encoder\.layers?\.(\d+)\.{theirs}",
            rf"\1encoder.layer.\2.{ours}",
            *layout,
        ]
        for theirs, ours, *layout in (
            *(
                (
                    rf"attention\.(?:self|_self|self_attention)\.{one}",
                    f"attention.self.{one}",
                    "split",
                )
                for one in _QKV
            ),
            (r"attention\.(?:self|_self|self_attention)", "attention.self.context"),
            (r"attention\.(?:output|self_output)\.dense", "attention.output.dense"),
            (
                r"attention\.(?:output|self_output)(?:\.(?:LayerNorm|layer_?norm))?",
                "attention.output.LayerNorm",
            ),
            (r"attention", "attention.output.LayerNorm"),
            (
                r"intermediate(?:\.(?:intermediate_act|intermediate_act_fn|activation))?",
                "intermediate",
            ),
            (r"output(?:\.(?:LayerNorm|layer_?norm))?", "output.LayerNorm"),
        )
    ),
    [r"(.*)encoder\.layers\.(\d+)\.((?:intermediate|output)\.dense)", r"\1encoder.layer.\2.\3"],
    [r"(.*)encoder\.layers?\.(\d+)", r"\1encoder.layer.\2.output.LayerNorm"],
    [r"lm_head(?:\.decoder)?", "lm_head.logits"],
    [r"classifier(?:\.out_proj)?", "classifier.logits"],
    [r"qa_outputs", "qa_outputs.logits"],
]


_MLX_LAYER = r"(?:roberta\.)?encoder\.layers\.(\d+)"
_MLX = [
    [r"(?:roberta\.)?embeddings\.norm", "embeddings.LayerNorm"],
    *(
        [
            _MLX_LAYER + rf"\.attention\.{one}_proj",
            rf"encoder.layer.\1.attention.self.{one}",
            "split",
        ]
        for one in _QKV
    ),
    *(
        [_MLX_LAYER + theirs, rf"encoder.layer.\1.{ours}"]
        for theirs, ours in (
            (r"\.attention(?:\.out_proj)?", "attention.output.dense"),
            (r"\.ln1", "attention.output.LayerNorm"),
            (r"\.linear1", "intermediate.dense"),
            (r"\.gelu", "intermediate"),
            (r"\.linear2", "output.dense"),
            (r"(?:\.ln2)?", "output.LayerNorm"),
        )
    ),
    [r"(?:roberta\.)?pooler", "pooler.dense"],
    [r"lm_head(?:\.decoder)?", "lm_head.logits"],
]

_GGML = [
    [r"inp_embd", "embeddings.sum", "[S,H]"],
    [r"inp_norm", "embeddings.LayerNorm", "[S,H]"],
    *(
        [rf"{one[0].upper()}cur-(\d+)", rf"encoder.layer.\1.attention.self.{one}", "[S,N,D]"]
        for one in _QKV
    ),
    *(
        [rf"(?:{theirs})-(\d+)", rf"encoder.layer.\1.{ours}", layout]
        for theirs, ours, layout in (
            ("kq_soft_max(?:_ext)?", "attention.self.probabilities", "[N,S,T]"),
            ("kqv_merged_cont", "attention.self.context", "[S,H]"),
            ("kqv_out", "attention.output.dense", "[S,H]"),
            ("ffn_inp", "attention.output.LayerNorm", "[S,H]"),
            ("ffn_up_b", "intermediate.dense", "[S,I]"),
            ("ffn_gelu", "intermediate", "[S,I]"),
            ("ffn_out", "output.dense", "[S,H]"),
        )
    ),
    [r"result_(?:embd|norm)", "encoder.layer.{last}.output.LayerNorm", "[S,H]"],
    [r"(?:kq|kqv|kqv_merged|norm|norm_w|ffn_up|ffn_down|wqkv|bqkv)-\d+|norm|norm_w", None],
    [r"token_embd", "embeddings.word_embeddings"],
    [r"position_embd", "embeddings.position_embeddings"],
    [r"token_types", "embeddings.token_type_embeddings"],
    [r"token_embd_norm", "embeddings.LayerNorm"],
    *(
        [rf"blk\.(\d+)\.attn_{one[0]}", rf"encoder.layer.\1.attention.self.{one}", "split"]
        for one in _QKV
    ),
    *(
        [rf"blk\.(\d+)\.{theirs}", rf"encoder.layer.\1.{ours}"]
        for theirs, ours in (
            ("attn_output", "attention.output.dense"),
            ("attn_output_norm", "attention.output.LayerNorm"),
            ("ffn_up", "intermediate.dense"),
            ("ffn_down", "output.dense"),
            ("layer_output_norm", "output.LayerNorm"),
        )
    ),
    [r"cls", "classifier.dense"],
    [r"cls\.output", "classifier.logits"],
]

#: The lines of each map, by the name of the implementation.
MAPS: Mapping[str, list[Any]] = MappingProxyType(
    {
        "transformers": _TRANSFORMERS,
        "transformers-onnx": _onnx("Div", "MatMul"),
        "transformers-onnx-sdpa": _onnx("MatMul", "Div"),
        "transformers.js": _onnx("Div", "MatMul"),
        "fairseq": _FAIRSEQ,
        "candle": _CANDLE,
        "flax": _FLAX,
        "mlx": _MLX,
        "ggml": _GGML,
    }
)


@cache
def built_in(name: str) -> NameMap:
    """Make one of the maps here.

    Parameters
    ----------
    name : str
        As ``"fairseq"``.

    Returns
    -------
    NameMap

    >>> built_in("ggml")[0].replacement
    'embeddings.sum'
    """
    return name_map(MAPS[name])
