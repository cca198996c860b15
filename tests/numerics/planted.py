"""Mistakes that ports make, planted one at a time into transformers' RoBERTa on torch.

`PLANTED` lists them. Each can be planted into a module with eager attention, of any dtype, and is
gone when its block ends; its weights are never touched. Where it must be found is told by the
patterns of `minirobert.watch`:

    with mistake.planted(module):
        trace = trace_torch(module, arguments)
"""

import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import torch
from torch.nn import functional

Plant = Callable[[Any, ExitStack], None]
Arguments = dict[str, Any]


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


# Ways to change a module for a while


def put(stack: ExitStack, owner: Any, name: str, value: Any) -> None:
    """Give an object an attribute of its own until the stack is left."""
    had = name in vars(owner)
    before = vars(owner).get(name)
    setattr(owner, name, value)
    stack.callback(lambda: setattr(owner, name, before) if had else delattr(owner, name))


def hook(stack: ExitStack, handle: Any) -> None:
    stack.callback(handle.remove)


def base(module: Any) -> Any:
    return getattr(module, "roberta", module)


def layers(module: Any) -> Any:
    return base(module).encoder.layer


def norms(module: Any) -> list[Any]:
    return [one for one in module.modules() if isinstance(one, torch.nn.LayerNorm)]


def attentions(module: Any) -> list[Any]:
    return [one for name, one in module.named_modules() if name.endswith("attention.self")]


# What must be there for a mistake to matter


def has_layers(module: Any, arguments: Arguments) -> bool:
    return len(layers(module)) > 0


def has_two_layers(module: Any, arguments: Arguments) -> bool:
    return len(layers(module)) > 1


def has_lm_head(module: Any, arguments: Arguments) -> bool:
    return hasattr(module, "lm_head")


def has_ids(module: Any, arguments: Arguments) -> bool:
    return arguments.get("input_ids") is not None


def is_wide(module: Any, arguments: Arguments) -> bool:
    return bool(module.config.hidden_size > 1)


def length(arguments: Arguments) -> int:
    given = arguments.get("input_ids")
    return given.shape[-1] if given is not None else arguments["inputs_embeds"].shape[-2]


def both(*needs: Callable[[Any, Arguments], bool]) -> Callable[[Any, Arguments], bool]:
    return lambda module, arguments: all(one(module, arguments) for one in needs)


def sees(module: Any, arguments: Arguments) -> np.ndarray:
    """Tell which keys each query may look at. bool [B, S, T]."""
    size = length(arguments)
    mask = arguments.get("attention_mask")
    if mask is None:
        mask = np.ones((1, size))
    mask = np.asarray(mask)
    if mask.ndim == 3 and "Choice" not in type(module).__name__:
        return mask > 0
    seen = np.broadcast_to(mask.reshape(-1, 1, size) > 0, (mask.size // size, size, size))
    return seen & np.tri(size, dtype=bool) if module.config.is_decoder else seen


# Feed-forward and heads


def activation(function: Callable[[torch.Tensor], torch.Tensor]) -> Plant:
    def plant(module: Any, stack: ExitStack) -> None:
        for layer in layers(module):
            put(stack, layer.intermediate.intermediate_act_fn, "forward", function)

    return plant


def tanh_gelu(x: torch.Tensor) -> torch.Tensor:
    return functional.gelu(x, approximate="tanh")


def quick_gelu(x: torch.Tensor) -> torch.Tensor:
    return x * torch.sigmoid(1.702 * x)


def is_exact_gelu(module: Any, arguments: Arguments) -> bool:
    return module.config.hidden_act in ("gelu", "gelu_python") and has_layers(module, arguments)


def head_activation(function: Callable[[torch.Tensor], torch.Tensor]) -> Plant:
    def plant(module: Any, stack: ExitStack) -> None:
        head = module.lm_head
        put(
            stack,
            head,
            "forward",
            lambda x, **_: head.decoder(head.layer_norm(function(head.dense(x)))),
        )

    return plant


def head_without_norm(module: Any, stack: ExitStack) -> None:
    put(stack, module.lm_head.layer_norm, "forward", lambda x: x)


def head_without_bias(module: Any, stack: ExitStack) -> None:
    decoder = module.lm_head.decoder
    put(stack, decoder, "forward", lambda x: functional.linear(x, decoder.weight))


def decoder_not_tied(module: Any, stack: ExitStack) -> None:
    decoder = module.lm_head.decoder
    generator = torch.Generator().manual_seed(0)
    other = torch.randn(decoder.weight.shape, generator=generator).to(decoder.weight)
    other = other * decoder.weight.std()
    put(stack, decoder, "forward", lambda x: functional.linear(x, other, decoder.bias))


def pooler_on_last(module: Any, stack: ExitStack) -> None:
    pooler = base(module).pooler
    put(stack, pooler, "forward", lambda x: pooler.activation(pooler.dense(x[:, -1])))


def has_pooler(module: Any, arguments: Arguments) -> bool:
    pools = base(module).pooler is not None
    return pools and is_wide(module, arguments) and length(arguments) > 1


# Layer norms


def eps(value: float) -> Plant:
    def plant(module: Any, stack: ExitStack) -> None:
        for norm in norms(module):
            put(stack, norm, "eps", value)

    return plant


def other_eps(value: float) -> Callable[[Any, Arguments], bool]:
    return lambda module, arguments: (
        module.config.layer_norm_eps != value and is_wide(module, arguments)
    )


def norm(scale: Callable[[torch.Tensor, float], torch.Tensor]) -> Plant:
    """Divide by another number than the square root of variance and eps."""

    def plant(module: Any, stack: ExitStack) -> None:
        for one in norms(module):

            def forward(x: torch.Tensor, one: Any = one) -> torch.Tensor:
                centred = x - x.mean(-1, keepdim=True)
                return centred / scale(x, one.eps) * one.weight + one.bias

            put(stack, one, "forward", forward)

    return plant


def eps_outside(x: torch.Tensor, eps: float) -> torch.Tensor:
    return x.var(-1, keepdim=True, unbiased=False).sqrt() + eps


def unbiased(x: torch.Tensor, eps: float) -> torch.Tensor:
    return (x.var(-1, keepdim=True, unbiased=True) + eps).sqrt()


NORMS = ("LayerNorm", "lm_head.layer_norm")


# Positions, token types, embeddings


def right_positions(ids: Any, mask: Any, pad: int) -> Any:
    token = (ids != pad).long()
    return torch.cumsum(token, 1) * token + pad


def from_zero(ids: Any, mask: Any, pad: int) -> Any:
    return torch.arange(ids.shape[1]).expand(ids.shape)


def one_more(ids: Any, mask: Any, pad: int) -> Any:
    return right_positions(ids, mask, pad) + 1


def one_less(ids: Any, mask: Any, pad: int) -> Any:
    return right_positions(ids, mask, pad) - 1


def from_mask(ids: Any, mask: Any, pad: int) -> Any:
    token = (mask > 0).long()
    return torch.cumsum(token, 1) * token + pad


def through_padding(ids: Any, mask: Any, pad: int) -> Any:
    return torch.arange(ids.shape[1]).expand(ids.shape) + pad + 1


def positions(count: Callable[[Any, Any, int], Any]) -> Plant:
    def plant(module: Any, stack: ExitStack) -> None:
        owner = base(module)
        names = list(inspect.signature(owner.forward).parameters)

        def before(_: Any, args: Any, kwargs: Any) -> Any:
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            ids, mask = given["input_ids"], given.get("attention_mask")
            mask = torch.ones_like(ids) if mask is None else mask
            return args, {**kwargs, "position_ids": count(ids, mask, module.config.pad_token_id)}

        hook(stack, owner.register_forward_pre_hook(before, with_kwargs=True))

    return plant


def other_positions(count: Callable[[Any, Any, int], Any]) -> Callable[[Any, Arguments], bool]:
    def matters(module: Any, arguments: Arguments) -> bool:
        config = module.config
        if not has_ids(module, arguments) or arguments.get("position_ids") is not None:
            return False
        ids = torch.as_tensor(arguments["input_ids"])
        ids = ids.reshape(-1, ids.shape[-1])
        mask = arguments.get("attention_mask")
        mask = torch.ones_like(ids) if mask is None else torch.as_tensor(mask)
        if config.position_embedding_type != "absolute" or mask.numel() != ids.numel():
            return False
        mask = mask.reshape(ids.shape)
        wrong = count(ids, mask, config.pad_token_id)
        fits = bool(wrong.min() >= 0 and wrong.max() < config.max_position_embeddings)
        return fits and not torch.equal(wrong, right_positions(ids, mask, config.pad_token_id))

    return matters


def token_types_off_by_one(module: Any, stack: ExitStack) -> None:
    table = base(module).embeddings.token_type_embeddings
    n = table.num_embeddings
    hook(stack, table.register_forward_pre_hook(lambda _, args: ((args[0] + 1) % n,)))


def times_sqrt_h(module: Any, stack: ExitStack) -> None:
    table = base(module).embeddings.word_embeddings
    factor = math.sqrt(module.config.hidden_size)
    hook(stack, table.register_forward_hook(lambda _, args, rows: rows * factor))


def permuted_row(module: Any, stack: ExitStack) -> None:
    """Turn the row of the first token."""
    table = base(module).embeddings.word_embeddings

    def after(_: Any, args: Any, rows: torch.Tensor) -> torch.Tensor:
        ids = args[0]
        return torch.where((ids == ids[0, 0])[..., None], rows.roll(1, -1), rows)

    hook(stack, table.register_forward_hook(after))


def other_ids(arguments: Arguments) -> Arguments:
    """Make the ids of a text whose first word is another token, as without a space before it."""
    ids = np.array(arguments["input_ids"])
    ids[..., -1] = np.where(ids[..., -1] > 0, ids[..., -1] - 1, 1)
    return {**arguments, "input_ids": ids}


# Attention


def attention(
    scale: Callable[[torch.Tensor, int], torch.Tensor] = lambda scores, d: scores / math.sqrt(d),
    axis: int = -1,
    transposed: bool = True,
) -> Plant:
    """Compute attention as transformers does, but for one thing."""

    def plant(module: Any, stack: ExitStack) -> None:
        for one in attentions(module):

            def split(x: torch.Tensor, one: Any = one) -> torch.Tensor:  # [B, S, H] -> [B, N, S, D]
                n, d = one.num_attention_heads, one.attention_head_size
                if not transposed:
                    return x.reshape(x.shape[0], n, -1, d)
                return x.reshape(x.shape[0], -1, n, d).transpose(1, 2)

            def forward(
                hidden_states: torch.Tensor,
                attention_mask: Any = None,
                head_mask: Any = None,
                encoder_hidden_states: Any = None,
                *_: Any,
                one: Any = one,
                split: Any = split,
                **__: Any,
            ) -> Any:
                text = hidden_states if encoder_hidden_states is None else encoder_hidden_states
                query, key, value = map(
                    split, (one.query(hidden_states), one.key(text), one.value(text))
                )
                scores = with_distances(one, query @ key.mT, query, key)
                scores = scale(scores, one.attention_head_size)
                scores = scores if attention_mask is None else scores + attention_mask
                probabilities = one.dropout(functional.softmax(scores, dim=axis))
                if head_mask is not None:
                    probabilities = probabilities * head_mask
                context = (probabilities @ value).transpose(1, 2).flatten(2)
                return context, probabilities

            put(stack, one, "forward", forward)

    return plant


def with_distances(
    one: Any, scores: torch.Tensor, query: torch.Tensor, key: torch.Tensor
) -> torch.Tensor:
    """Add what depends on distances, in the order in which transformers adds it."""
    if one.position_embedding_type == "absolute":
        return scores
    distance = torch.arange(query.shape[2])[:, None] - torch.arange(key.shape[2])
    rows = one.distance_embedding(distance + one.max_position_embeddings - 1).to(query.dtype)
    scores = scores + torch.einsum("bhld,lrd->bhlr", query, rows)
    if one.position_embedding_type == "relative_key_query":
        scores = scores + torch.einsum("bhrd,lrd->bhlr", key, rows)
    return scores


def has_scale(module: Any, arguments: Arguments) -> bool:
    config = module.config
    return has_layers(module, arguments) and config.hidden_size > config.num_attention_heads


def has_several_heads(module: Any, arguments: Arguments) -> bool:
    several = any(one.num_attention_heads > 1 for one in attentions(module))
    return several and length(arguments) > 1


def has_several_keys(module: Any, arguments: Arguments) -> bool:
    return has_layers(module, arguments) and length(arguments) > 1


def mask(change: Callable[[Any, Any, Any], Any]) -> Plant:
    """Change the mask that is added to the scores of every layer."""

    def plant(module: Any, stack: ExitStack) -> None:
        owner = base(module)
        right = owner.get_extended_attention_mask
        put(
            stack,
            owner,
            "get_extended_attention_mask",
            lambda given, shape, *_, **__: change(right, given, shape),
        )

    return plant


def minus_10000(right: Any, given: Any, shape: Any) -> Any:
    return right(given, shape).clamp(min=-10000)


def attend_to_padding(right: Any, given: Any, shape: Any) -> Any:
    return right(torch.ones_like(given), shape)


def has_blind_query(module: Any, arguments: Arguments) -> bool:
    """Tell whether a query sees no key: only there do scores beside -10000 count."""
    blind = ~sees(module, arguments).any(-1)
    return has_several_keys(module, arguments) and bool(blind.any())


def has_hidden_key(module: Any, arguments: Arguments) -> bool:
    everything = sees(module, {**arguments, "attention_mask": None})
    hidden = everything & ~sees(module, arguments)
    return has_several_keys(module, arguments) and bool(hidden.any())


# Layers


def swapped_key_and_value(module: Any, stack: ExitStack) -> None:
    one = layers(module)[-1].attention.self
    key, value = one.key.forward, one.value.forward
    put(stack, one.key, "forward", value)
    put(stack, one.value, "forward", key)


def transposed_weight(module: Any, stack: ExitStack) -> None:
    query = layers(module)[-1].attention.self.query
    put(stack, query, "forward", lambda x: functional.linear(x, query.weight.T, query.bias))


def has_square_weight(module: Any, arguments: Arguments) -> bool:
    if not has_layers(module, arguments) or not is_wide(module, arguments):
        return False
    rows, columns = layers(module)[-1].attention.self.query.weight.shape
    return bool(rows == columns)


def no_bias(name: str) -> Plant:
    def plant(module: Any, stack: ExitStack) -> None:
        one = getattr(layers(module)[-1].attention.self, name)
        put(stack, one, "forward", lambda x: functional.linear(x, one.weight))

    return plant


def skipped_layer(module: Any, stack: ExitStack) -> None:
    put(stack, layers(module)[0], "forward", lambda hidden, *_, **__: (hidden,))


def swapped_layers(module: Any, stack: ExitStack) -> None:
    stacked = layers(module)
    first, second = stacked[0], stacked[1]
    stacked[0], stacked[1] = second, first

    def back() -> None:
        stacked[0], stacked[1] = first, second

    stack.callback(back)


def pre_norm(module: Any, stack: ExitStack) -> None:
    """Normalise what goes into each step, not what comes out of it."""
    for layer in layers(module):

        def forward(
            hidden: torch.Tensor,
            attention_mask: Any = None,
            head_mask: Any = None,
            encoder_hidden_states: Any = None,
            encoder_attention_mask: Any = None,
            *_: Any,
            layer: Any = layer,
            **__: Any,
        ) -> Any:
            texts = [(layer.attention, attention_mask, None)]
            if encoder_hidden_states is not None:
                texts.append((layer.crossattention, encoder_attention_mask, encoder_hidden_states))
            for block, seen, text in texts:
                normed = block.output.LayerNorm(hidden)
                context, _ = block.self(normed, seen, head_mask, text)
                hidden = hidden + block.output.dropout(block.output.dense(context))
            normed = layer.output.LayerNorm(hidden)
            expanded = layer.intermediate(normed)
            return (hidden + layer.output.dropout(layer.output.dense(expanded)),)

        put(stack, layer, "forward", forward)


def residual_after_norm(module: Any, stack: ExitStack) -> None:
    block = layers(module)[-1].attention.output
    put(
        stack,
        block,
        "forward",
        lambda x, residual: block.LayerNorm(block.dropout(block.dense(x))) + residual,
    )


def no_residual(module: Any, stack: ExitStack) -> None:
    block = layers(module)[-1].output
    put(stack, block, "forward", lambda x, _: block.LayerNorm(block.dropout(block.dense(x))))


#: What first sees the output of the last layer.
HEADS = ("lm_head.dense", "pooler.dense", "classifier.input", "qa_outputs.logits")


# Arithmetic, and what is left on


def float16_sums(module: Any, stack: ExitStack) -> None:
    """Sum one product in float16, term by term."""
    one = layers(module)[-1].intermediate.dense

    def forward(x: torch.Tensor) -> torch.Tensor:
        total = torch.zeros((*x.shape[:-1], one.out_features), dtype=torch.float16)
        for k in range(one.in_features):
            total = (total + x[..., k : k + 1] * one.weight[:, k]).half()
        return (total + one.bias).to(x.dtype)

    put(stack, one, "forward", forward)


def tf32(x: torch.Tensor) -> torch.Tensor:
    """Round to 10 bits behind the first, ties to even."""
    bits = x.float().contiguous().view(torch.int32)
    rounded = (bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF
    return rounded.view(torch.float32).to(x.dtype)


def tf32_products(module: Any, stack: ExitStack) -> None:
    for one in module.modules():
        if isinstance(one, torch.nn.Linear):
            put(
                stack,
                one,
                "forward",
                lambda x, one=one: functional.linear(tf32(x), tf32(one.weight), one.bias),
            )


def is_full(module: Any, arguments: Arguments) -> bool:
    return next(module.parameters()).dtype in (torch.float32, torch.float64)


LINEAR = (
    *("self.query", "self.key", "self.value", "output.dense", "intermediate.dense"),
    *("lm_head.dense", "lm_head.logits", "pooler.dense"),
    *("classifier.dense", "classifier.logits", "qa_outputs.*"),
)


def dropout_left_on(module: Any, stack: ExitStack) -> None:
    stack.enter_context(torch.random.fork_rng(devices=[]))
    torch.manual_seed(0)
    for one in module.modules():
        if isinstance(one, torch.nn.Dropout):
            put(stack, one, "training", True)


def has_dropout(module: Any, arguments: Arguments) -> bool:
    return any(one.p > 0 for one in module.modules() if isinstance(one, torch.nn.Dropout))


def one_nan(module: Any, stack: ExitStack) -> None:
    def after(_: Any, args: Any, output: torch.Tensor) -> torch.Tensor:
        output = output.clone()
        output[0, -1, -1] = math.nan
        return output

    hook(stack, layers(module)[-1].intermediate.dense.register_forward_hook(after))


def nothing(module: Any, stack: ExitStack) -> None:
    """Leave the model as it is."""


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
