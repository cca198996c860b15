"""Mistakes that ports make, each put into the port in JavaScript as a change of its text."""

from typing import NamedTuple

#: Where layers, heads and steps are.
FUNCTIONAL, MODEL, TOKENIZER = "functional.mjs", "model.mjs", "tokenizer.mjs"


class Mistake(NamedTuple):
    """A text that stands in a file of the port, and what takes its place.

    ``cases`` is where it must show, a part of a name; by default where every step does.
    """

    name: str
    file: str
    old: str
    new: str
    cases: str = "every-step"


#: The last numbers of float16 and of TF32 have 11 binary digits.
_ROUNDED = "const half = (v) => { const t = Math.fround(v * 8193); return Math.fround(t - Math.fround(t - v)); };\n"
_PRODUCT = "sum(X, (k) => at(rows, m, k) * at(weight, n, k)) + bias.data[n]);"

MISTAKES = [
    Mistake("tanh GELU for erf", FUNCTIONAL, "  gelu, gelu_python", "  gelu: geluNew, gelu_python", "eps-small"),
    Mistake(
        "quick GELU", FUNCTIONAL, "  gelu, gelu_python", "  gelu: (x) => x * sigmoid(1.702 * x), gelu_python"
    ),
    Mistake("tanh GELU in the head", MODEL, "map(gelu, dense)", "map(ACTIVATIONS.gelu_new, dense)", "no-layer"),
    *(
        Mistake(f"eps {eps}", MODEL, "...weights(name), config.layer_norm_eps", f"...weights(name), {eps}", cases)
        for eps, cases in (("1e-12", "every-step"), ("1e-6", "every-step"), ("1e-5", "eps-small"))
    ),
    Mistake("eps outside of the root", FUNCTIONAL, "** 2) + eps)", "** 2)) + eps"),
    Mistake("unbiased variance", FUNCTIONAL, "(row[i] - mean) ** 2)", "(row[i] - mean) ** 2 * row.length / (row.length - 1))"),
    Mistake("positions from 0", MODEL, "pad + ++tokens", "tokens++"),
    Mistake("positions by one more", MODEL, "pad + ++tokens", "pad + 1 + ++tokens"),
    Mistake("positions by one less", MODEL, "pad + ++tokens", "pad + tokens++"),
    Mistake("positions through padding", MODEL, "text.map((id) => (id === pad ?", "text.map((id) => (false ?"),
    Mistake(
        "positions of the mask",
        MODEL,
        "text.map((id) => (id === pad ?",
        "text.map((id, s) => (given.attention_mask[texts.indexOf(text)][s] === 0 ?",
    ),
    Mistake("token types by one", MODEL, "types: given.token_type_ids ??", "types: given.token_type_ids?.map((t) => t.map((x) => (x + 1) % 3)) ??"),
    Mistake("embeddings times sqrt(H)", MODEL, 'add(...Object.values(terms))', 'map((x) => x * Math.sqrt(config.hidden_size), add(...Object.values(terms)))'),
    Mistake("rows of the vocabulary exchanged", MODEL, '? rows("word", ids)', '? rows("word", ids.map((text) => text.map((id) => (id === 19 ? 20 : id))))'),
    Mistake("mask of -10000 added", MODEL, ": LOWEST)", ": at(scores, b, n, q, k) - 1e4)"),
    Mistake("padding attended to", MODEL, "looks: (b, q, k) =>", "looks: (b, q, k) => true ||"),
    Mistake("no scale", MODEL, "/ Math.sqrt(D)", ""),
    Mistake("scale twice", MODEL, "/ Math.sqrt(D)", "/ D"),
    Mistake("key and value exchanged", MODEL, "const [query, key, value]", "const [query, value, key]"),
    Mistake("heads not transposed", MODEL, "at(x, b, s, n * D + d)", "x.data[((b * N + n) * S + s) * D + d]"),
    Mistake(
        "softmax over queries",
        MODEL,
        "softmax(masked)",
        "((turn) => turn(softmax(turn(masked))))((x) => fill([B, N, S, S], (b, n, q, k) => at(x, b, n, k, q)))",
    ),
    *(
        Mistake(
            f"{part} without its bias",
            MODEL,
            "linear(hidden, ...weights(`${self}.${part}`));",
            "((w, v) => linear(hidden, w, part === '" + part + "' ? map(() => 0, v) : v))"
            "(...weights(`${self}.${part}`));",
        )
        for part in ("value", "key")
    ),
    Mistake(
        "a transposed weight",
        MODEL,
        "linear(hidden, ...weights(`${self}.${part}`));",
        "((w, v) => linear(hidden, part === 'query' ? fill(w.shape, (i, j) => at(w, j, i)) : w, v))"
        "(...weights(`${self}.${part}`));",
    ),
    Mistake("residual forgotten", MODEL, "add(dense(`${name}.dense`, x), residual)", "dense(`${name}.dense`, x)"),
    Mistake(
        "residual behind the norm",
        MODEL,
        "norm(`${name}.LayerNorm`, see(`${name}.sum`, add(dense(`${name}.dense`, x), residual)));",
        "see(`${name}.LayerNorm`, add(layerNorm(dense(`${name}.dense`, x),"
        " ...weights(`${name}.LayerNorm`), config.layer_norm_eps), residual));",
    ),
    Mistake(
        "norm before the attention",
        MODEL,
        "inputs, self, hidden, inputs.factors(i)",
        "inputs, self, layerNorm(hidden, ...weights(`${layer}.attention.output.LayerNorm`), config.layer_norm_eps), inputs.factors(i)",
    ),
    Mistake("dropout left on", MODEL, "see(name, linear(x, ...weights(name)));", "see(name, map((v, i) => (Math.random() < 0.1 ? 0 : v / 0.9), linear(x, ...weights(name))));"),
    Mistake("a layer skipped", MODEL, "i < config.num_hidden_layers; i++", "i < config.num_hidden_layers - 1; i++"),
    Mistake("two layers exchanged", MODEL, "weights: (name) => weights(prefix + name),", 'weights: (name) => weights(prefix + name.replace(/layer.([01])/, (_, i) => `layer.${1 - i}`)),'),
    Mistake("head without norm", MODEL, 'observe("lm_head.layer_norm", normed)', 'observe("lm_head.layer_norm", active)'),
    Mistake("head with relu", MODEL, "map(gelu, dense)", "map(ACTIVATIONS.relu, dense)"),
    Mistake("head without bias", MODEL, 'table, weights("lm_head")[1]);', 'table, map(() => 0, weights("lm_head")[1]));'),
    Mistake("decoder not tied", MODEL, 'table, weights("lm_head")[1]);', 'map((x) => -x, table), weights("lm_head")[1]);'),
    Mistake("sums in float16", FUNCTIONAL, _PRODUCT, _PRODUCT.replace("sum(X,", "half(sum(X,").replace("n, k))", "n, k)))")),
    Mistake("products in TF32", FUNCTIONAL, _PRODUCT, _PRODUCT.replace("at(rows, m, k) * at(weight, n, k)", "half(at(rows, m, k)) * half(at(weight, n, k))")),
    Mistake("one NaN", FUNCTIONAL, _PRODUCT, _PRODUCT.replace(");", " / (m === 9 && n === 5 ? 0 / 0 : 1));")),
    Mistake("pooler on the last token", MODEL, "at(hidden, b, 0, h)", "at(hidden, b, inputs.S - 1, h)", "051-base"),
    Mistake("distances turned", MODEL, "q - k + config", "k - q + config", "22-relative-key"),
    Mistake("distances of keys forgotten", MODEL, "ofQuery + ofKey : ofQuery", "ofQuery : ofQuery", "23-relative-key-query"),
    Mistake("a head mask of the wrong layer", MODEL, "given.head_mask[i] :", "given.head_mask[0] :", "head-mask-of-layers"),
]  # fmt: skip

#: Of the tokenizer, with the groups of cases in which they must show.
TOKENIZER_MISTAKES = [
    Mistake("white space of JavaScript", TOKENIZER, '"\\\\t-\\\\r \\\\x85', '"\\\\s\\\\t-\\\\r \\\\x85', "texts"),
    Mistake("without U+0085", TOKENIZER, "\\\\x85", "", "texts"),
    Mistake("letters of ASCII", TOKENIZER, " ?\\\\p{L}+| ", " ?[a-zA-Z]+| ", "texts"),
    Mistake("no contractions", TOKENIZER, "`'(?:s|t|re|ve|m|ll|d)|", "`", "texts"),
    Mistake("the last merge first", TOKENIZER, "merges.map((merge, rank) => [merge, rank])", "merges.map((merge, rank) => [merge, -rank])", "texts"),
    Mistake("the line of the version is a merge", TOKENIZER, "merges.map((merge, rank)", "merges.slice(1).map((merge, rank)", "texts"),
    Mistake("mask leaves the space", TOKENIZER, "([${WHITE}]*<mask>|", "(<mask>|", "texts"),
    Mistake("special tokens are text", TOKENIZER, "settings.split_special_tokens ? [text]", "true ? [text]", "texts"),
    Mistake("special tokens are never text", TOKENIZER, "settings.split_special_tokens ? [text]", "false ? [text]", "split-special-tokens"),
    Mistake("one </s> in a pair", TOKENIZER, 'special(n ? "</s>" : "<s>")', '...(n ? [] : [special("<s>")])', "pairs"),
    Mistake("places in UTF-16", TOKENIZER, "const length = [...piece].length;", "const length = piece.length;", "texts"),
    Mistake("places in bytes", TOKENIZER, "(byte & 0xc0) === 0x80 ? characters : ++characters", "++characters", "texts"),
    Mistake("untrimmed", TOKENIZER, "settings.trim_offsets === false", "true", "texts"),
    Mistake("no prefix space", TOKENIZER, "hasPrefix && !segment", "false && !segment", "prefix-space"),
    Mistake("cut on the other side", TOKENIZER, 'settings.truncation_side === "left"', "false", "truncation-left"),
    Mistake("half of the room for each", TOKENIZER, "Math.min(first, second, Math.floor(budget / 2))", "Math.floor(budget / 2)", "truncation"),
]  # fmt: skip
