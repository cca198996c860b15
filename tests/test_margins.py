"""The shapes in the margins are true: they are compared with the arrays of drawn models."""

import re
from functools import cache

import numpy as np
import pytest

import minirobert
from minirobert import (
    TINY,
    KeyValueCache,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
    embeddings,
    functional,
    kernels,
    losses,
)
from minirobert.arrays import AXES
from tests.margins.checking import Checker
from tests.margins.letters import letters_in
from tests.margins.reading import Reader
from tests.sources import PACKAGE, source_files

#: No two letters stand for the same number, in any scene: K + S is 19.
B, N, L, C, S, E, K, H, V = 2, 3, 4, 6, 7, 8, 12, 15, 23
FIELDS = {
    "vocab_size": V, "hidden_size": H, "num_attention_heads": N, "num_hidden_layers": L,
    "intermediate_size": 11, "max_position_embeddings": 31, "num_labels": C, "type_vocab_size": 1,
}  # fmt: skip
rng = np.random.default_rng(0)
IDS = rng.integers(3, V, (B, S))
IDS[0, 5:] = 1
MASK = (IDS != 1).astype(int)
PAST = rng.integers(3, V, (B, K))
STATES = rng.standard_normal((B, E, H)).astype(np.float32)
RELATIVE = ["absolute", "relative_key", "relative_key_query"]
ALL = {"output_hidden_states": True, "output_attentions": True}


def model(kind, **fields):
    return kind(RobertaConfig(**{**FIELDS, **fields}))


# What runs


def encoders():
    for kind in RELATIVE:
        relative = model(RobertaModel, position_embedding_type=kind)
        relative(IDS, MASK, head_mask=np.ones((L, N)), train=True, rng=0, **ALL)
    encoder = model(RobertaModel)
    encoder(IDS, np.ones((B, S, S), int), position_ids=np.arange(S)[None, :] + 2)
    encoder(inputs_embeds=rng.standard_normal((B, S, H)).astype(np.float32), **ALL)
    words = np.concatenate([PAST, IDS], axis=1)
    embeddings.create_position_ids_from_input_ids(words, 1, np.ones((B, 1), int))
    embeddings.create_position_ids_from_inputs_embeds(STATES, 1, np.ones((B, 1), int))
    model(RobertaModel, chunk_size_feed_forward=3)(IDS)
    encoder(IDS, MASK, read="tokens")
    encoder(IDS, MASK[:1], **ALL)
    encoder(IDS, np.ones((B, S, S), int), read=IDS == 2)


def pruned():
    for kind in RELATIVE:
        fields = {"position_embedding_type": kind, "pruned_heads": {0: [1], 2: [0, 2]}}
        model(RobertaModel, **fields)(IDS, MASK, **ALL)
        decoder = model(RobertaForCausalLM, is_decoder=True, add_cross_attention=True, **fields)
        past = decoder(PAST, encoder_hidden_states=STATES).past_key_values
        decoder(IDS, past_key_values=past, **ALL)


def decoders():
    decoder = model(RobertaForCausalLM, is_decoder=True, add_cross_attention=True)
    past = KeyValueCache()
    more = {"past_key_values": past, "encoder_hidden_states": STATES}
    decoder(PAST, encoder_attention_mask=np.ones((B, E), int), **more)
    decoder(IDS, head_mask=np.ones(N), **more, **ALL)
    decoder(IDS, encoder_attention_mask=np.ones((B, S, E), int), **more)
    past.reorder_cache([1, 1, 0])
    past.crop(-1)
    KeyValueCache.from_legacy_cache(past.to_legacy_cache())
    decoder(PAST, labels=PAST)
    for kind in RELATIVE:
        relative = model(RobertaForCausalLM, is_decoder=True, position_embedding_type=kind)
        relative(IDS, past_key_values=relative(PAST).past_key_values)


def heads():
    masked = model(RobertaForMaskedLM)
    masked(IDS, MASK, read=MASK)
    masked(IDS, MASK, labels=IDS, train=True, rng=0, **ALL)
    minirobert.logit_lens(masked, {"input_ids": IDS, "attention_mask": MASK})
    kinds = {
        "regression": np.ones((B, C), np.float32),
        "single_label_classification": np.ones(B, int),
        "multi_label_classification": np.ones((B, C), np.float32),
    }
    for problem, labels in kinds.items():
        classifier = model(RobertaForSequenceClassification, problem_type=problem)
        classifier(IDS, labels=labels, train=True, rng=0, **ALL)
    model(RobertaForTokenClassification)(IDS, labels=IDS % C, train=True, rng=0, **ALL)
    finder = model(RobertaForQuestionAnswering, num_labels=2)
    finder(IDS, start_positions=np.ones(B, int), end_positions=np.full((B, 1), 3), **ALL)
    choices = np.repeat(IDS[:, None], C, axis=1)
    chooser = model(RobertaForMultipleChoice)
    chooser(choices, attention_mask=choices != 1, labels=np.ones(B, int), **ALL)


def generation():
    decoder = model(RobertaForCausalLM, is_decoder=True, add_cross_attention=True)
    more = {"encoder_hidden_states": STATES, "encoder_attention_mask": np.ones((B, E), int)}
    often = {"max_new_tokens": 4, "eos_token_id": 2, "min_new_tokens": 2, "output_scores": True}
    rules = {"repetition_penalty": 1.5, "no_repeat_ngram_size": 2}
    decoder.generate(PAST, **more, **often, **rules)
    decoder.generate(PAST, num_return_sequences=5, do_sample=True, rng=0, top_k=9, top_p=0.9,
                     temperature=2.0, **often)  # fmt: skip
    decoder.generate(PAST, **more, num_beams=5, num_return_sequences=3, **often, **rules)
    list(decoder.stream(PAST, max_new_tokens=2))


def formulas():
    x, table = rng.standard_normal((B, S, H)), rng.standard_normal((V, H))
    functional.linear(x, table)
    functional.log_softmax(x)
    functional.dropout(x, 0.5, np.random.default_rng(0))
    functional.largest(x[0], 3)
    for loss in (losses.mean_squared_error, losses.binary_cross_entropy_with_logits):
        loss(x, x)
    kernels.few_columns._by_blocks(np.ones((11, H)), np.ones((H, S)), 3)
    kernels.compiled._gelu(np.ones((11, S), np.float32), np.ones(11, np.float32))
    rows = np.ones((2, H, S), np.float32)
    kernels.compiled._add_and_norm(*rows, *np.ones((3, H), np.float32), 1e-5)
    kernels.compiled._exponentials(x.astype(np.float32), np.empty((B, H), np.float32))
    losses.causal_lm_loss(rng.standard_normal((B, S, V)).astype(np.float16), IDS, 9)


def pipelines():
    tiny = {"model": TINY, "tokenizer": TINY}
    minirobert.pipeline("fill-mask", **tiny)(["The <mask> is <mask>.", "A <mask>."])
    minirobert.pipeline("feature-extraction", **tiny)("The sky is blue.")


def letters_of(config):
    """Give what some letters mean in all calls of a model."""
    return {
        "D": config.head_size, "H": config.hidden_size, "I": config.intermediate_size,
        "L": config.num_hidden_layers, "V": config.vocab_size, "P": config.max_position_embeddings,
    }  # fmt: skip


SMALL = letters_of(RobertaConfig(**FIELDS))
SCENES = [
    *((scene, SMALL | {"N": N}) for scene in (encoders, decoders, heads, generation, formulas)),
    (pruned, SMALL),  # each layer has its own N
    (pipelines, letters_of(RobertaConfig.from_pretrained(TINY))),
]


@cache
def read():
    return [Reader(path, parts) for parts, path in source_files()]


@cache
def checked():
    """Run all scenes, with kernels and without."""
    checker = Checker([claim for reader in read() for claim in reader.claims], PACKAGE)
    for scene, letters in SCENES:
        with checker.watching(letters):
            scene()
            with kernels.disabled():
                scene()
    return checker


def test_every_letter_is_in_the_legend():
    claims = {claim for reader in read() for claim in reader.claims}
    unknown = [
        f"{claim}: {letter} is not in minirobert.arrays.AXES"
        for claim in claims
        for letter in letters_in(claim.text)
        if letter not in AXES and not re.fullmatch("[a-z]{2,}", letter)
    ]
    assert not unknown, "\n".join(sorted(unknown))


def test_every_comment_with_a_shape_is_understood():
    unread = [comment for reader in read() for comment in reader.unread]
    assert not unread, "\n".join(sorted(unread))


def test_no_shape_is_wrong():
    wrong = sorted(checked().violations.values())
    assert not wrong, "\n".join(wrong)


MATHEMATICS = (
    *("functional/", "kernels/", "embeddings", "attention", "cache", "encoder", "heads", "losses"),
    "dropout",
)


def test_no_shape_of_the_mathematics_is_left_out():
    claims = {claim for reader in read() for claim in reader.claims}
    left_out = claims - checked().true
    missed = [str(claim) for claim in left_out if claim.where.startswith(MATHEMATICS)]
    assert not missed, "\n".join(sorted(missed))


RIGHT = """
from typing import NamedTuple

from minirobert.arrays import Array, array_namespace


class Pair(NamedTuple):
    left: Array  # [B, S, H]
    right: Array | None  # bool [B, S]; None where all count


def scale(x: Array, by: Array) -> Array:  # [B, S, H], [H] -> [B S, H]
    \"\"\"Scale.

    Parameters
    ----------
    x : Array of shape [B, S, H]

    Returns
    -------
    Array of shape [B S, H]
    \"\"\"
    with array_namespace(x).errstate():
        x = x * (
            by + 0
        )  # [B, S, H]: a remark
        pair = Pair(x, None)
        first, last = x[:, 0], x[:, -1]  # [B, H]
        rest(pair)
        return x.reshape(-1, x.shape[-1])  # [B S, H]


def rest(pair: Pair) -> tuple[Array, Array | None]:  # -> [B, K + 1, H], [B]
    if pair.right is None:
        return pair.left, None
    return pair
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("[B, S, H], [H] ->", "[B, S, I], [H] ->", "x says [B, S, I], was (2, 3, 5), float64"),
        ("[B, S, H], [H] ->", "[B, S, H], [S] ->", "by says [S], was (5,), float64: S = 3"),
        ("[B, S, H], [H] ->", "[B, H], [H] ->", "x says [B, H], was (2, 3, 5), float64"),
        ("-> [B S, H]", "-> [B, H]", "what it returns says [B, H], was (6, 5), float64"),
        ("[-1])  # [B S, H]", "[-1])  # [2 S, B]", "what it returns says [2 S, B], was (6, 5)"),
        ("# [B, S, H]: a", "# [S, B, H]: a", "x says [S, B, H], was (2, 3, 5)"),
        ("# [B, S, H]: a", "# int64 [B, S, H]: a", "x says int64 [B, S, H], was (2, 3, 5), float"),
        ("# [B, H]", "# [B, H], [S, H]", "last says [S, H], was (2, 5), float64: S = 3, H = 5"),
        ("left: Array  # [B, S, H]", "left: Array  # [B, 1 or S]", "left says [B, 1 or S], was"),
        ("-> [B, K + 1, H], [B]", "-> [B, K + 4, H], [B]", "says [B, K + 4, H], was (2, 3, 5)"),
        ("x : Array of shape [B, S, H]", "x : Array of shape [B, S]", "x says Array of shape [B, "),
        ("\n    Array of shape [B S, H]", "\n    Array of shape [...]\n", None),
        ("        first, last", "        #: [B]\n        first, last", "#: [B]"),
    ],
)
def test_wrong_shapes_are_seen(tmp_path, right, wrong, said):
    assert RIGHT.count(right) == 1
    assert found(tmp_path, RIGHT) == []
    wrongs = found(tmp_path, RIGHT.replace(right, wrong))
    assert [said in sentence for sentence in wrongs] == ([True] if said else [])


def found(folder, source):
    """Run ``scale``, and list what is wrong with the shapes in the source."""
    path = folder / "sample.py"
    path.write_text(source)
    reader, names = Reader(path, ("sample",)), {"__name__": "minirobert.sample"}
    exec(compile(source, str(path), "exec"), names)
    checker = Checker(reader.claims, folder)
    with checker.watching({"H": 5, "I": 4}):
        names["scale"](np.ones((2, 3, 5)), np.ones(5))
    return [*checker.violations.values(), *reader.unread]
