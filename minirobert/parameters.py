"""The one table of a checkpoint's tensors: their names and shapes, their first values, their tree.

Every other file takes names from here: loading checks a file against `parameter_shapes`,
`initialise` walks it, saving writes it, and `build_tree` turns its flat names into attributes.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from .arrays import Array, Shape
from .config import RobertaConfig
from .memory import bytes_in_words
from .sentences import Piece, cut, fitted, listed, plain, shown
from .tensor_names import group_names

__all__ = [
    "HEADS",
    "CheckpointError",
    "Head",
    "ParameterTree",
    "architectures",
    "build_tree",
    "check_layers",
    "check_shapes",
    "columns",
    "flatten",
    "generator_of",
    "head_of",
    "initialise",
    "linear_shapes",
    "map_tree",
    "misfit",
    "norm_shapes",
    "numbers_of",
    "parameter_shapes",
    "summary",
]

Shapes = dict[str, Shape]


class Head(Protocol):
    """What the table needs to know of what a class of model puts on top of the encoder."""

    @property
    def name(self) -> str:
        """The part of the checkpoint that holds the head."""

    @property
    def pools(self) -> bool:
        """Whether the model has a pooler."""

    @property
    def choices(self) -> bool:
        """Whether each text comes with several choices."""

    def shapes(self, config: RobertaConfig) -> Shapes:
        """List the head's tensors by their names behind its own."""

    def intermediates(self, config: RobertaConfig, kind: Any) -> Iterable[tuple[str, Any]]:
        """List what the head computes; see `minirobert.intermediates`."""


#: The head of each class of model, by the name of the class; the classes enter theirs.
HEADS: dict[str, Head] = {}


def architectures() -> tuple[str, ...]:
    """Name all classes of models."""
    return ("RobertaModel", *HEADS)


def head_of(architecture: str | Head) -> Head:
    """Find the head of a class by its name; a head is its own."""
    head = HEADS.get(architecture) if isinstance(architecture, str) else architecture
    if head is None:
        known = ", ".join(architectures())
        raise ValueError(f"architecture {shown(architecture)} is not one of those here: {known}")
    return head


def parameter_shapes(
    config: RobertaConfig,
    architecture: str | Head = "RobertaForMaskedLM",
    *,
    add_pooling_layer: bool = True,
) -> Shapes:
    """List every tensor that a model has, in the order of the computation.

    Parameters
    ----------
    config : RobertaConfig
    architecture : str
        The model's class, such as ``"RobertaModel"`` or ``"RobertaForMaskedLM"``, or a head.
    add_pooling_layer : bool
        Whether ``RobertaModel`` has a pooler; the other classes decide that for themselves.

    Returns
    -------
    dict of str to tuple of int
        Name in the checkpoint to shape. Weights of linear maps are ``(out, in)``. A tied decoder
        is not listed: its weight is the word embedding table, its bias ``lm_head.bias``.

    Raises
    ------
    ValueError
        If the architecture is not known.

    >>> shapes = parameter_shapes(RobertaConfig(max_position_embeddings=514, type_vocab_size=1))
    >>> sum(math.prod(shape) for shape in shapes.values())  # roberta-base
    124697433
    """
    if architecture == "RobertaModel":
        return _base(config, add_pooling_layer)
    head = head_of(architecture)
    return {
        **_prefixed("roberta.", _base(config, head.pools)),
        **_prefixed(f"{head.name}.", head.shapes(config)),
    }


def _base(config: RobertaConfig, add_pooling_layer: bool) -> Shapes:
    check_layers(config)
    shapes = _prefixed("embeddings.", _embeddings(config))
    for i in range(config.num_hidden_layers):
        shapes |= _prefixed(f"encoder.layer.{i}.", _layer(config, i))
    if add_pooling_layer:
        shapes |= linear_shapes("pooler.dense", config.hidden_size, config.hidden_size)
    return shapes


def check_layers(config: RobertaConfig) -> None:
    """Refuse far more layers than any model has, before they are listed."""
    most = _MOST_TENSORS // len(_layer(config, 0))
    if config.num_hidden_layers > most:
        raise CheckpointError(
            f"num_hidden_layers is {shown(config.num_hidden_layers)}, but must be at most {most}: "
            f"with more, the model would have more than {_MOST_TENSORS:,} tensors"
        )


#: Few enough to list all that are missing within a second.
_MOST_TENSORS = 50_000


def _embeddings(config: RobertaConfig) -> Shapes:
    hidden = config.hidden_size
    return {
        "word_embeddings.weight": (config.vocab_size, hidden),
        "position_embeddings.weight": (config.max_position_embeddings, hidden),
        "token_type_embeddings.weight": (config.type_vocab_size, hidden),
        **norm_shapes("LayerNorm", hidden),
    }


def _layer(config: RobertaConfig, i: int) -> Shapes:
    hidden, inner = config.hidden_size, config.intermediate_size
    kept = config.num_attention_heads - len(set(config.pruned_heads.get(i, ())))
    heads = kept * config.head_size  # H, unless heads are pruned
    across = config.add_cross_attention
    return {
        **_prefixed("attention.", _attention(config, heads, _distances(config))),
        **(_prefixed("crossattention.", _attention(config, hidden, {})) if across else {}),
        **linear_shapes("intermediate.dense", inner, hidden),
        **linear_shapes("output.dense", hidden, inner),
        **norm_shapes("output.LayerNorm", hidden),
    }


def _attention(config: RobertaConfig, heads: int, distances: Shapes) -> Shapes:
    hidden = config.hidden_size
    return {
        **linear_shapes("self.query", heads, hidden),
        **linear_shapes("self.key", heads, hidden),
        **linear_shapes("self.value", heads, hidden),
        **distances,
        **linear_shapes("output.dense", hidden, heads),
        **norm_shapes("output.LayerNorm", hidden),
    }


def _distances(config: RobertaConfig) -> Shapes:
    if config.position_embedding_type == "absolute":
        return {}
    # Beside it the table of absolute positions stays in the checkpoint, unused.
    rows = 2 * config.max_position_embeddings - 1
    size = config.head_size
    return {"self.distance_embedding.weight": (rows, size)}


def linear_shapes(name: str, outputs: int, inputs: int) -> Shapes:
    """List the weight and the bias of a linear map."""
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def norm_shapes(name: str, size: int) -> Shapes:
    """List the weight and the bias of a layer norm."""
    return {f"{name}.weight": (size,), f"{name}.bias": (size,)}


def _prefixed(prefix: str, shapes: Shapes) -> Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


def numbers_of(shapes: Mapping[str, Shape]) -> int:
    """Count the numbers in all tensors of a table."""
    return sum(map(math.prod, shapes.values()))


def initialise(shapes: Shapes, config: RobertaConfig, seed: int = 0) -> dict[str, Array]:
    """Draw the first values of a model, as it is before any training.

    Weights of linear maps and embeddings are normal with standard deviation
    ``config.initializer_range``; the padding id's rows of the word and position tables are zero,
    and so are biases; layer norms start as the identity.

    Parameters
    ----------
    shapes : dict of str to tuple of int
        Of `parameter_shapes`.
    config : RobertaConfig
    seed : int
        Each tensor is drawn from the seed and its name (without the ``roberta.`` prefix), so that
        it does not depend on what other tensors the model has.

    Returns
    -------
    dict of str to float32 NumPy array

    Notes
    -----
    Source: Devlin et al. 2018 (arXiv:1810.04805), as their published code has it, without cutting
    the normal's tails.
    """
    return {name: _first_values(name, shape, config, seed) for name, shape in shapes.items()}


def _first_values(name: str, shape: Shape, config: RobertaConfig, seed: int) -> Array:
    if name.endswith("bias"):
        return np.zeros(shape, np.float32)
    if "LayerNorm" in name or "layer_norm" in name:
        return np.ones(shape, np.float32)
    values = generator_of(name, seed).standard_normal(shape, np.float32)
    values *= config.initializer_range
    if name.endswith(("word_embeddings.weight", "position_embeddings.weight")):
        values[config.pad_token_id] = 0
    return values


def generator_of(name: str, seed: int) -> np.random.Generator:
    """Give a tensor its own random numbers, whatever other tensors there are."""
    return np.random.default_rng([seed, zlib.crc32(name.removeprefix("roberta.").encode())])


def check_shapes(expected: Mapping[str, Shape], found: Mapping[str, Shape], source: str) -> None:
    """Compare tensors with a parameter table.

    Parameters
    ----------
    expected, found : mapping of str to tuple of int
    source : str
        Where the tensors come from, for the error.

    Raises
    ------
    CheckpointError
        One error that tells all that are missing, unexpected or of the wrong shape.
    """
    wrong = {n: found[n] for n, shape in expected.items() if n in found and found[n] != shape}
    missing = [name for name in expected if name not in found]
    unexpected = [name for name in found if name not in expected]
    if missing or unexpected or wrong:
        raise misfit(source, expected, found, missing, unexpected, wrong)


def misfit(
    source: str,
    expected: Mapping[str, Shape],
    found: Mapping[str, Shape],
    missing: Iterable[str],
    unexpected: Iterable[str],
    wrong: Iterable[str],
    cures: Iterable[str] = (),
) -> CheckpointError:
    """Tell which tensors do not fit, in a few lines for each kind, and what to do about it."""
    absent = {name: str(list(expected[name])) for name in missing}
    beyond = {name: str(list(found[name])) for name in unexpected}
    other = {n: f"is {list(found[n])}, but must be {list(expected[n])}" for n in wrong}
    lines: list[Piece] = [
        [f"missing: {line}" for line in group_names(absent, expected)],
        [f"unexpected: {line}" for line in group_names(beyond, found)],
        [f"wrong shape: {line}" for line in group_names(other, stars=False)],
        *(f"({cure})" for cure in cures),
    ]
    head = f"the weights {source} do not fit the configuration:"
    said = [piece for line in lines if line for piece in ("\n  ", line)]
    return CheckpointError(fitted(head, *said, between="\n  "))


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, or does not fit its configuration."""

    def __init__(self, message: str):
        super().__init__(cut(message))


class ParameterTree:
    """A node of the parameter tree: named children, which are nodes, tuples of nodes, or arrays.

    A child is read as an attribute, spelled as in the checkpoint:
    ``params.encoder.layer[0].attention.self.query.weight``. Numbered children are a tuple. A node
    is also a mapping as far as ``**node`` needs it, so that ``linear(x, **layer.query)`` passes its
    weight and bias by name.

    The tree has no behaviour; `flatten` is the exact inverse of `build_tree`.
    """

    def __init__(self, children: Mapping[str, Any]):
        vars(self).update(children)

    def __getattr__(self, name: str) -> Any:  # only where there is no such child
        names = "" if name.startswith("_") else f"; there are {listed(vars(self))}"
        raise AttributeError(f"no parameters named {shown(name)} here{names}")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"parameters are read-only: build a new tree to change {shown(name)}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"parameters are read-only: build a new tree without {shown(name)}")

    def keys(self) -> KeysView[str]:
        """Name the children."""
        return vars(self).keys()

    def __getitem__(self, name: str) -> Any:
        return vars(self)[name]

    def __contains__(self, name: object) -> bool:
        return name in vars(self)

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))

    def __len__(self) -> int:
        return len(vars(self))

    def __reduce__(self) -> Any:
        return ParameterTree, (vars(self),)

    def __repr__(self) -> str:
        return f"ParameterTree({', '.join(self)})"


def build_tree(flat: Mapping[str, Array]) -> ParameterTree:
    """Turn flat names into a tree of attributes.

    Parameters
    ----------
    flat : mapping of str to Array
        Names with dots; the numbers in them count from 0.

    Returns
    -------
    ParameterTree

    >>> tree = build_tree({"layer.0.dense.bias": 1, "layer.1.dense.bias": 2})
    >>> tree.layer[1].dense.bias
    2
    """
    nested: dict[str, Any] = {}
    for name, array in flat.items():
        *path, last = name.split(".")
        node = nested
        for part in path:
            node = node.setdefault(part, {})
        node[last] = array
    root = _to_node(nested)
    return root if isinstance(root, ParameterTree) else ParameterTree({})


def _to_node(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    children = {name: _to_node(child) for name, child in value.items()}
    if children and all(name.isdecimal() for name in children):
        return tuple(children[str(i)] for i in range(len(children)))
    return ParameterTree(children)


def flatten(tree: ParameterTree) -> dict[str, Array]:
    """Turn a tree back into flat names, in their order.

    >>> flatten(build_tree({"layer.0.dense.bias": 1, "layer.1.dense.bias": 2}))
    {'layer.0.dense.bias': 1, 'layer.1.dense.bias': 2}
    """
    flat: dict[str, Array] = {}
    _add_leaves(flat, "", tree)
    return flat


def _add_leaves(flat: dict[str, Array], name: str, value: Any) -> None:
    """Put the arrays below a node into a dictionary, by their names."""
    if not isinstance(value, ParameterTree | tuple):
        flat[name] = value
        return
    children = enumerate(value) if isinstance(value, tuple) else vars(value).items()
    for part, child in children:
        _add_leaves(flat, f"{name}.{part}" if name else f"{part}", child)


def map_tree(function: Callable[[Array], Array], tree: ParameterTree) -> ParameterTree:
    """Apply a function to every array of a tree, giving a new tree."""
    return build_tree({name: function(array) for name, array in flatten(tree).items()})


def summary(
    shapes: Mapping[str, Shape],
    dtypes: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
) -> str:
    """Print a parameter table: each tensor, the count of each block, and the total.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
    dtypes : mapping of str to str, optional
        ``"float32"`` and so on, as stored; without it, memory is given for float32. What has none
        is listed, but not counted.
    notes : mapping of str to str, optional
        A word behind some of the tensors.

    Returns
    -------
    str
        A table of several lines.

    >>> print(summary({"pooler.dense.weight": (8, 8), "pooler.dense.bias": (8,)}))
    name                 shape   dtype    parameters
    pooler.dense.weight  [8, 8]  float32          64
    pooler.dense.bias    [8]     float32           8
    <BLANKLINE>
    block   tensors  parameters
    pooler        2          72
    total         2          72  (288 bytes)
    """
    dtypes = dict.fromkeys(shapes, "float32") if dtypes is None else dtypes
    notes = notes or {}
    counts = {name: math.prod(shape) for name, shape in shapes.items()}
    rows = [
        (
            plain(name),
            cut(str([*shape]), 60),
            dtypes.get(name, ""),
            f"{counts[name]:,}",
            notes.get(name, ""),
        )
        for name, shape in shapes.items()
    ]
    tensors = columns([("name", "shape", "dtype", "parameters", ""), *rows], "<<<><")
    blocks: dict[str, list[int]] = {}
    for name in dtypes:
        blocks.setdefault(plain(_block(name)), []).append(counts[name])
    blocks["total"] = [counts[name] for name in dtypes]
    totals = [(name, f"{len(sizes):,}", f"{sum(sizes):,}") for name, sizes in blocks.items()]
    memory = sum(counts[name] * _bits(dtype) // 8 for name, dtype in dtypes.items())
    per_block = columns([("block", "tensors", "parameters"), *totals], "<>>")
    return f"{tensors}\n\n{per_block}  ({bytes_in_words(memory)})"


def _bits(dtype: str) -> int:
    """Read the size of an element from the name of its dtype: 8 for ``float8_e4m3fn``."""
    number = re.search(r"\d+", dtype)
    return int(number[0]) if number else 8  # "bool"


def _block(name: str) -> str:
    """Name the block of the model that a tensor belongs to, such as ``encoder.layer.3``."""
    parts = name.split(".")
    start = 1 if parts[0] == "roberta" else 0
    length = 3 if parts[start : start + 1] == ["encoder"] else 1
    return ".".join(parts[: start + length])


def columns(rows: Sequence[Sequence[str]], alignments: str) -> str:
    """Write rows as text, each column as wide as its widest cell.

    Parameters
    ----------
    rows : sequence of sequence of str
    alignments : str
        For each column ``"<"`` or ``">"``.

    Returns
    -------
    str

    >>> print(columns([("", "ours"), ("1x16", "9 ms")], "<>"))
          ours
    1x16  9 ms
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            f"{cell:{alignment}{width}}"
            for cell, alignment, width in zip(row, alignments, widths, strict=True)
        ).rstrip()
        for row in rows
    )
