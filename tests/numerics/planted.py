"""Mistakes that ports make, planted one at a time into transformers' RoBERTa on torch.

`PLANTED` lists them. Each can be planted into a module with eager attention, of any dtype, and is
gone when its block ends; its weights are never touched. Where it must be found is told by the
patterns of `minirobert.watch`:

    with mistake.planted(module):
        trace = trace_torch(module, arguments)
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from torch.nn import functional

from tests.numerics.mistakes.arithmetic import (
    LINEAR,
    dropout_left_on,
    float16_sums,
    has_dropout,
    is_full,
    nothing,
    one_nan,
    tf32_products,
)
from tests.numerics.mistakes.attention import (
    attend_to_padding,
    attention,
    has_blind_query,
    has_hidden_key,
    has_scale,
    has_several_heads,
    has_several_keys,
    mask,
    minus_10000,
)
from tests.numerics.mistakes.embeddings import (
    from_mask,
    from_zero,
    one_less,
    one_more,
    other_ids,
    other_positions,
    permuted_row,
    positions,
    through_padding,
    times_sqrt_h,
    token_types_off_by_one,
)
from tests.numerics.mistakes.ground import (
    Arguments,
    Plant,
    both,
    has_ids,
    has_layers,
    has_lm_head,
    has_two_layers,
    is_wide,
)
from tests.numerics.mistakes.heads import (
    activation,
    decoder_not_tied,
    has_pooler,
    head_activation,
    head_without_bias,
    head_without_norm,
    is_exact_gelu,
    pooler_on_last,
    quick_gelu,
    tanh_gelu,
)
from tests.numerics.mistakes.layers import (
    HEADS,
    has_square_weight,
    no_bias,
    no_residual,
    pre_norm,
    residual_after_norm,
    skipped_layer,
    swapped_key_and_value,
    swapped_layers,
    transposed_weight,
)
from tests.numerics.mistakes.norms import NORMS, eps, eps_outside, norm, other_eps, unbiased


@dataclass(frozen=True)
class Mistake:
    """One mistake of a port.

    Parameters
    ----------
    id : str
    where : tuple of str
        Patterns of the names at which alone it must be found, at one of them at least. ``{last}``
        is the last layer. Everything else follows from these, or is as it was.
    plant : callable
        Changes a module, and puts the way back on a stack.
    matters : callable
        Tells from a module and the arguments of a call whether it can change anything, be it a
        bit; whether more than rounding hides is another matter.
    arguments : callable, optional
        What else the port is given, where the mistake is made before the model.
    """

    id: str
    where: tuple[str, ...]
    plant: Plant
    matters: Callable[[Any, Arguments], bool] = lambda module, arguments: True
    arguments: Callable[[Arguments], Arguments] = lambda arguments: arguments

    @contextmanager
    def planted(self, module: Any) -> Iterator[None]:
        """Make the mistake inside the block."""
        with ExitStack() as stack:
            self.plant(module, stack)
            yield

    def is_at(self, name: str, config: Any) -> bool:
        """Tell whether it may be found at a tensor."""
        patterns = [one.replace("{last}", str(config.num_hidden_layers - 1)) for one in self.where]
        return any(fnmatchcase(f".{name}", f"*.{one}") for one in patterns)


LAST = "layer.{last}"

PLANTED = [
    Mistake("tanh-gelu", ("intermediate",), activation(tanh_gelu), is_exact_gelu),
    Mistake("quick-gelu", ("intermediate",), activation(quick_gelu), is_exact_gelu),
    Mistake("lm-head-tanh-gelu", ("lm_head.gelu",), head_activation(tanh_gelu), has_lm_head),
    Mistake("lm-head-relu", ("lm_head.gelu",), head_activation(functional.relu), has_lm_head),
    Mistake("lm-head-without-norm", ("lm_head.layer_norm",), head_without_norm, has_lm_head),
    Mistake("lm-head-without-bias", ("lm_head.logits",), head_without_bias, has_lm_head),
    Mistake("decoder-not-tied", ("lm_head.logits",), decoder_not_tied, has_lm_head),
    Mistake("pooler-on-last-token", ("pooler.dense",), pooler_on_last, has_pooler),
    Mistake("eps-1e-12", NORMS, eps(1e-12), other_eps(1e-12)),
    Mistake("eps-1e-6", NORMS, eps(1e-6), other_eps(1e-6)),
    Mistake("eps-outside-root", NORMS, norm(eps_outside), is_wide),
    Mistake("unbiased-variance", NORMS, norm(unbiased), is_wide),
    *(
        Mistake(name, ("position_ids",), positions(count), other_positions(count))
        for name, count in {
            "positions-from-0": from_zero,
            "positions-one-more": one_more,
            "positions-one-less": one_less,
            "positions-from-mask": from_mask,
            "positions-through-padding": through_padding,
        }.items()
    ),
    Mistake(
        "token-types-off-by-one",
        ("token_type_ids", "embeddings.token_type_embeddings"),
        token_types_off_by_one,
        lambda module, arguments: module.config.type_vocab_size > 1,
    ),
    Mistake(
        "embeddings-times-sqrt-h",
        ("embeddings.word_embeddings",),
        times_sqrt_h,
        both(has_ids, is_wide),
    ),
    Mistake("row-permuted", ("embeddings.word_embeddings",), permuted_row, both(has_ids, is_wide)),
    Mistake("no-scale", ("self.scores",), attention(lambda scores, d: scores), has_scale),
    Mistake("scale-twice", ("self.scores",), attention(lambda scores, d: scores / d), has_scale),
    Mistake(
        "heads-not-transposed",
        ("self.scores", "self.context"),
        attention(transposed=False),
        has_several_heads,
    ),
    Mistake("softmax-over-queries", ("self.probabilities",), attention(axis=-2), has_several_keys),
    Mistake(
        "mask-minus-10000",
        ("self.scores.masked", "self.probabilities"),
        mask(minus_10000),
        has_blind_query,
    ),
    Mistake(
        "padding-attended",
        ("attend", "self.scores.masked", "self.probabilities"),
        mask(attend_to_padding),
        has_hidden_key,
    ),
    Mistake(
        "key-and-value-swapped",
        (f"{LAST}.attention.self.key", f"{LAST}.attention.self.value"),
        swapped_key_and_value,
        has_layers,
    ),
    Mistake(
        "transposed-weight",
        (f"{LAST}.attention.self.query",),
        transposed_weight,
        has_square_weight,
    ),
    Mistake("no-value-bias", (f"{LAST}.attention.self.value",), no_bias("value"), has_layers),
    Mistake("no-key-bias", (f"{LAST}.attention.self.key",), no_bias("key"), has_layers),
    Mistake("layer-skipped", ("layer.1.*",), skipped_layer, has_two_layers),
    Mistake("layers-swapped", ("layer.0.*", "layer.1.*"), swapped_layers, has_two_layers),
    Mistake(
        "pre-norm",
        ("self.query", "self.key", "self.value", "output.sum", "intermediate.dense", *HEADS),
        pre_norm,
        has_layers,
    ),
    Mistake(
        "residual-after-norm",
        (
            *(f"{LAST}.attention.output.sum", f"{LAST}.crossattention.*"),
            *(f"{LAST}.intermediate.dense", f"{LAST}.output.sum"),
        ),
        residual_after_norm,
        has_layers,
    ),
    Mistake("no-residual", (f"{LAST}.output.sum",), no_residual, has_layers),
    Mistake("float16-sums", (f"{LAST}.intermediate.dense",), float16_sums, has_layers),
    Mistake("tf32-products", LINEAR, tf32_products, is_full),
    Mistake(
        "dropout-left-on",
        (
            *("embeddings", "self.context", "output.sum", "classifier.*"),
            *("*.dropout", "probabilities.head_mask"),
        ),
        dropout_left_on,
        has_dropout,
    ),
    Mistake("one-nan", (f"{LAST}.intermediate.dense",), one_nan, has_layers),
    Mistake("other-ids", ("input_ids",), nothing, has_ids, other_ids),
]

BY_ID = {one.id: one for one in PLANTED}
