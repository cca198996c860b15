"""What a language model would say too early, and where in it a word travels.

- The *logit lens* (nostalgebraist 2020, "interpreting GPT: the logit lens") reads the hidden states
  of every layer as if they were the last: the language-model head is put on each of them.
- *Activation patching* (Vig et al. 2020, arXiv:2004.12265; Meng et al. 2022, arXiv:2202.05262,
  section 2.1) runs one text with a tensor of another in it, one position at a time: where the
  answer moves, there was what the two texts differ in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .arrays import Array, array_namespace, device_of, index_dtype
from .functional import softmax
from .intermediates import Pass, intermediates
from .models.language_models import LanguageModel
from .models.outputs import BaseModelOutputWithPoolingAndCrossAttentions
from .observe import Watcher, watch
from .rules import Rule, check, integer, near_miss
from .sentences import shown, type_name

__all__ = ["logit_lens", "patch"]

_NAMES = Rule(
    lambda names: bool(names) and all(isinstance(name, str) for name in names),
    "the name of a tensor, or a list of names",
)


def logit_lens(
    model: LanguageModel, batch: Mapping[str, Any], positions: Sequence[int] | None = None
) -> Array:  # -> [L + 1, B, S, V]
    """Score every word with the hidden states of each layer, the embeddings first.

    Parameters
    ----------
    model : RobertaForMaskedLM or RobertaForCausalLM
    batch : mapping
        What the model is called with, as a tokenizer gives it.
    positions : sequence of int, optional
        Only these tokens of each text, in this order, negative ones counted from the end: all
        logits of a long text may be too many for the memory.

    Returns
    -------
    Array of shape [L + 1, B, S, V]
        Logits, of the model's library and dtype; with ``positions`` S is their number. The last
        layer's are the model's own.

    Raises
    ------
    ValueError
        If a position is outside the text, or the batch does not fit the model.
    TypeError
        If the model has no language-model head, or the batch is no mapping.

    >>> from minirobert import RobertaForMaskedLM, RobertaTokenizer
    >>> tokenizer, model = RobertaTokenizer.from_pretrained(), RobertaForMaskedLM.from_pretrained()
    >>> batch = tokenizer("The color of the sky is <mask>.", return_tensors="np")
    >>> logits = logit_lens(model, batch, [-3])
    >>> logits.shape
    (5, 1, 1, 8192)
    >>> tokenizer.decode(logits[-1, 0, 0].argmax())
    ' blue'
    """
    _check_model(model)
    states = _encoded(model, "batch", batch, output_hidden_states=True).hidden_states or ()
    if positions is not None:
        states = tuple(_taken(hidden, positions) for hidden in states)
    return array_namespace(*states).stack([model.lm_head(hidden) for hidden in states])


def patch(
    model: LanguageModel,
    clean: Mapping[str, Any],
    corrupt: Mapping[str, Any],
    names: str | Iterable[str],
    *,
    word: int,
    position: int,
    probability: bool = False,
) -> Array:
    """Put tensors of one text into another, position by position, and see how a word's score moves.

    Parameters
    ----------
    model : RobertaForMaskedLM or RobertaForCausalLM
    clean, corrupt : mapping
        What the model is called with, as a tokenizer gives it: one text each, of the same number of
        tokens. ``corrupt`` is run, with tensors of ``clean`` in it.
    names : str or iterable of str
        The tensors, one after the other, by their whole names in `minirobert.intermediates`, such
        as ``"roberta.encoder.layer.0.output.LayerNorm"``: of the encoder, with an axis S. All that
        belongs to a position is put there: of attention, a query's row.
    word : int
        The id of the word that is scored.
    position : int
        Where it is scored, as at the ``<mask>``; a negative one counts from the end.
    probability : bool
        Score the word by its probability; by default, by its logit.

    Returns
    -------
    Array of shape [names, S]
        For each tensor and each position: the score with that one patch, minus the score of
        ``corrupt`` as it is. It takes names times S runs.

    Raises
    ------
    ValueError
        If the texts are not as long, or several, a name is of no such tensor, or a number is out of
        range.
    TypeError
        If the model has no language-model head, or a text is no mapping.

    >>> from minirobert import RobertaForMaskedLM, RobertaTokenizer
    >>> tokenizer, model = RobertaTokenizer.from_pretrained(), RobertaForMaskedLM.from_pretrained()
    >>> sky, grass = (
    ...     tokenizer(f"The color of the {word} is <mask>.", return_tensors="np")
    ...     for word in ("sky", "grass")
    ... )
    >>> blue = tokenizer.convert_tokens_to_ids("Ġblue")
    >>> moved = patch(model, sky, grass, "roberta.embeddings", word=blue, position=-3)
    >>> tokenizer.convert_ids_to_tokens(grass["input_ids"][0, moved[0].argmax()])
    'Ġgrass'
    """
    _check_model(model)
    names = check("names", [names] if isinstance(names, str) else list(names), _NAMES)
    with watch(keep=names) as seen:
        shape = _one_text(model, "clean", clean)
    _check_lengths(shape, _one_text(model, "corrupt", corrupt))
    length = shape[1]
    axes = {name: _token_axis(model, name, seen, length) for name in names}
    check("word", word, integer(0, model.config.vocab_size - 1))

    def score() -> Array:
        hidden = _encoded(model, "corrupt", corrupt).last_hidden_state
        logits = model.lm_head(_taken(hidden, [position]))  # [B, positions, V]
        return (softmax(logits) if probability else logits)[0, 0, int(word)]

    before, after = score(), []
    for name in names:
        for at in range(length):
            with watch(_replacing(name, seen[name], axes[name], at)):
                after.append(score())
    xp = array_namespace(before)
    return xp.reshape(xp.stack(after), (len(names), length)) - before


def _replacing(name: str, other: Array, axis: int, at: int) -> Watcher:
    """Put another tensor in the place of one, at one position of an axis."""
    xp = array_namespace(other)
    is_there = xp.arange(other.shape[axis], device=device_of(other)) == at
    shape = tuple(-1 if i == axis else 1 for i in range(other.ndim))

    def watcher(path: str, array: Array) -> Array | None:
        return xp.where(xp.reshape(is_there, shape), other, array) if path == name else None

    return watcher


def _encoded(
    model: LanguageModel, name: str, batch: Any, **wanted: bool
) -> BaseModelOutputWithPoolingAndCrossAttentions:
    """Run the model without its head."""
    if not isinstance(batch, Mapping):
        raise TypeError(
            f"{name} is a {type_name(batch)}, but must be what a tokenizer gives: a mapping such "
            'as {"input_ids": [[0, 5, 2]]}'
        )
    return model.roberta(**batch, **wanted, return_dict=True)


def _one_text(model: LanguageModel, name: str, batch: Any) -> tuple[int, ...]:
    """Run a text, and give the shape of its hidden states."""
    shape = tuple(_encoded(model, name, batch).last_hidden_state.shape)
    if shape[0] != 1:
        raise ValueError(f"{name} has {shape[0]} texts, but must have one")
    return shape


def _check_lengths(clean: tuple[int, ...], corrupt: tuple[int, ...]) -> None:
    if clean != corrupt:
        raise ValueError(
            f"clean has {clean[1]} tokens and corrupt {corrupt[1]}, but they must have as many, so "
            "that each position has its counterpart: choose words of as many tokens"
        )


def _token_axis(model: LanguageModel, name: str, seen: Mapping[str, Array], length: int) -> int:
    """Find the axis of a tensor on which the tokens are."""
    kind = Pass(head_mask=True, cross=True, length=length)  # what is not there is not seen
    table = intermediates(model.config, model.head, kind=kind)
    if name not in seen or name not in table:
        meant = near_miss(name, table)
        raise ValueError(
            f"names has {shown(name)}, which is no tensor of this model's encoder: "
            + (f"is {shown(meant)} meant?" if meant else "minirobert.intermediates has all names")
        )
    letters = table[name].axes.strip("[]").split(", ")
    if "S" not in letters:
        raise ValueError(
            f"names has {shown(name)}, of axes {shown(letters)}: only a tensor with an axis S, of "
            "the tokens, can be patched position by position"
        )
    return letters.index("S")


def _taken(hidden: Array, positions: Sequence[int]) -> Array:  # [B, S, H] -> [B, positions, H]
    xp, length = array_namespace(hidden), hidden.shape[1]
    places = [_counted(one, length) for one in positions]
    indices = xp.asarray(places, dtype=index_dtype(xp), device=device_of(hidden))
    return xp.take(hidden, indices, axis=1)


def _counted(position: int, length: int) -> int:
    """Count a position from the beginning."""
    rule = integer(-length, length - 1).but(f", as the text has {length} tokens")
    return int(check("a position", position, rule)) % length


def _check_model(model: Any) -> None:
    if not isinstance(model, LanguageModel):
        raise TypeError(
            f"the model is a {type_name(model)}, which has no language-model head: use "
            "RobertaForMaskedLM or RobertaForCausalLM"
        )
