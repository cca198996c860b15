"""What is known of a tensor by its name: its layer, its axes, its formula, what it is made of."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence

from ..config import RobertaConfig
from ..intermediates import Intermediate, Pass, intermediates
from .names.paths import divided

__all__ = [
    "formulas",
    "in_words",
    "kind",
    "layer",
    "outputs",
    "section",
    "short",
    "sources",
    "unseen",
]

_LAYER = re.compile(r"\blayer\.(\d+)\.")
_INPUTS = ("_ids", "attend", "_mask", "inputs_embeds", "labels", "_positions")


def short(name: str) -> str:
    """Leave out what all names of a model begin with.

    >>> short("roberta.encoder.layer.0.output.LayerNorm"), short("step.1.lm_head.logits")
    ('layer.0.output.LayerNorm', 'step.1.lm_head.logits')
    """
    call, own = divided(name)
    return call + own.removeprefix("roberta.").removeprefix("encoder.")


def kind(name: str) -> str:
    """Give the name that a tensor shares with those of the other layers and calls.

    >>> kind("step.1.roberta.encoder.layer.3.output.sum")
    'layer.*.output.sum'
    """
    return _LAYER.sub("layer.*.", short(divided(name)[1]))


def layer(name: str) -> int | None:
    """Give the number of a tensor's layer, if it belongs to one."""
    found = _LAYER.search(name)
    return int(found[1]) if found else None


def section(name: str) -> str:
    """Name the part of the model that computes a tensor, without the number of a layer.

    >>> section("position_ids"), section("roberta.encoder.layer.3.output.sum")
    ('inputs', 'layer')
    """
    call, own = divided(short(name))
    if "." not in own and own.endswith(_INPUTS):
        return f"{call}inputs"
    return call + own.partition(".")[0]


def formulas(
    config: RobertaConfig | None, architecture: str = "RobertaForMaskedLM"
) -> dict[str, Intermediate]:
    """List by `kind` what may be computed: the table of `minirobert.intermediates`, for one layer.

    Parameters
    ----------
    config : RobertaConfig, optional
        By default one of RoBERTa's.
    architecture : str

    >>> formulas(None)["layer.*.output.sum"].formula
    'encoder.add_and_norm'
    """
    one = copy.copy(config or RobertaConfig())
    one.num_hidden_layers = min(one.num_hidden_layers, 1)
    one.chunk_size_feed_forward = 0
    whole = Pass(train=True, head_mask=True, labels=True, cross=True)
    try:
        table = intermediates(one, architecture, kind=whole)
    except ValueError:  # a class that is not here
        table = intermediates(one, "RobertaModel", kind=whole)
    return {kind(name): found for name, found in table.items()}


#: What the index of an axis counts; S is a query where there are keys, too.
_WORDS = dict(
    zip(
        ("B", "1 or B", "B C", "N", "S", "1 or S", "T", "E", "V", "C", "2"),
        ("text", "text", "row", "head", "token", "query", "key", "key", "word", "class", "bound"),
        strict=True,
    )
)


def in_words(at: Sequence[int], axes: str, n_heads: int | None = None, size: int = 0) -> str:
    """Say which number of a tensor is meant, all counted from 0.

    Parameters
    ----------
    at : sequence of int
    axes : str
        In the letters of `minirobert.arrays.AXES`.
    n_heads : int, optional
        Into how many heads the last axis of an attention's context divides.
    size : int
        Of the last axis.

    >>> in_words((1, 2, 7, 11), "[B, N, S, T]"), in_words((0, 3, 70), "[B, S, N D]", 2, 128)
    ('text 1, head 2, query 7, key 11', 'text 0, token 3, head 1, unit 6')
    """
    letters = axes.strip("[]").split(", ")
    if len(letters) != len(at):
        return ""
    words = []
    for letter, index in zip(letters, at, strict=True):
        if letter == "N D" and n_heads:
            head, unit = divmod(index, size // n_heads)
            words.append(f"head {head}, unit {unit}")
        elif letter == "S" and {"T", "E"} & set(letters):
            words.append(f"query {index}")
        elif letter != "1":
            words.append(f"{_WORDS.get(letter, 'unit')} {index}")
    return ", ".join(words)


def sources(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Tell for each tensor of one call which others it is computed from.

    Parameters
    ----------
    names : iterable of str
        Of the table of `minirobert.intermediates`, in its order, without a call before them.

    Returns
    -------
    dict of str to tuple of str

    >>> names = ["lm_head.dense", "lm_head.gelu"]
    >>> sources(names)
    {'lm_head.dense': (), 'lm_head.gelu': ('lm_head.dense',)}
    """
    made: dict[str, tuple[str, ...]] = {}
    last: dict[str, str] = {}  # what each has become: of dropout, or of a head mask
    for name in names:
        made[name] = tuple(dict.fromkeys(last[one] for one in _parts(name) if one in last))
        own = re.sub(r"\.(dropout|head_mask)$", "", name)
        last[name] = last[own] = name
        if not name.endswith(".kept"):
            last[BEFORE] = name
        if kind(own) in ("embeddings", "embeddings.LayerNorm") or own.endswith("output.LayerNorm"):
            last[STATE] = name
    return made


def _parts(name: str) -> list[str]:
    """Name what a step takes in, in its own scope or anywhere."""
    words = name.split(".")
    for i in range(len(words)):
        prefix, own = ".".join([*words[:i], ""]), ".".join(words[i:])
        if own in _FROM:
            return [one for part in _FROM[own] for one in (prefix + part, part)]
    if name.endswith(".dropout"):
        return [name.removesuffix(".dropout"), f"{name}.kept"]
    return [] if name.endswith(".kept") else [BEFORE]


#: The hidden state that comes into a block; and the tensor that stands before one in the table,
#: which is what it is made of where nothing else is said.
STATE, BEFORE = "(state)", "(before)"

_QKV = ("query", "key", "value")

_FROM: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("input_ids", "token_type_ids", "attend"), ()),
    "position_ids": ("input_ids",),
    "embeddings.word_embeddings": ("input_ids",),
    "embeddings.token_type_embeddings": ("token_type_ids",),
    "embeddings.position_embeddings": ("position_ids",),
    "embeddings.sum": tuple(
        f"embeddings.{one}_embeddings" for one in ("word", "token_type", "position")
    ),
    **{f"self.{one}": (f"self.{one}.dense",) for one in _QKV},
    **{f"attention.self.{one}.dense": (STATE,) for one in _QKV},
    "crossattention.self.query.dense": (STATE,),
    **{f"crossattention.self.{one}.dense": () for one in ("key", "value")},
    "self.distance_embedding": (),
    "self.scores": ("self.query", "self.key", "self.distance_embedding"),
    "attention.self.scores.masked": ("attention.self.scores", "attend"),
    "crossattention.self.scores.masked": ("crossattention.self.scores",),
    "self.context": ("self.probabilities", "self.value"),
    "output.sum": ("output.dense", STATE),
    "intermediate.dense": (STATE,),
    **dict.fromkeys(("pooler.dense", "lm_head.dense"), (STATE,)),
    "qa_outputs.end_logits": ("qa_outputs.logits",),
    "loss": (BEFORE, "qa_outputs.start_logits"),
}


def unseen(name: str, made: Mapping[str, tuple[str, ...]], missing: set[str]) -> list[str]:
    """List what is not shown of the steps that lead from what is shown to a tensor.

    Parameters
    ----------
    name : str
    made : mapping of str to tuple of str
        Of `sources`.
    missing : set of str
        The names of what is not shown.

    Returns
    -------
    list of str
        In the order of the computation.
    """
    found: set[str] = set()
    ways = [name]
    while ways:
        new = [one for one in made.get(ways.pop(), ()) if one in missing and one not in found]
        found.update(new)
        ways += new
    return [one for one in made if one in found]


def outputs(names: Iterable[str]) -> list[str]:
    """Find the results among the tensors: the logits, or else the last hidden state and the pooler.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    list of str

    >>> outputs(["embeddings", "encoder.layer.0.output.LayerNorm", "pooler.dense", "pooler"])
    ['encoder.layer.0.output.LayerNorm', 'pooler']
    """
    own = list(names)
    logits = [name for name in own if name.endswith("logits")]
    if logits:
        apart = [name for name in logits if name.endswith("_logits")]
        return apart or logits
    states = {divided(name)[0]: name for name in own if _is_state(name)}  # the last of each call
    return [*states.values(), *(name for name in own if kind(name) == "pooler")]


def _is_state(name: str) -> bool:
    return kind(name) in ("embeddings", "layer.*.output.LayerNorm")
