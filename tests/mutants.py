"""Faults that the tests must find: each is put into a copy of the package, and tests are run.

    python -m tests.mutants                        # all, a few minutes
    python -m tests.mutants --only mask --jobs 2   # those with "mask" in their names

A mutant is *killed* where one of its tests fails, and has *survived* where all pass: then a test is
missing. Its text is searched in the whole package (or in one file of it), so moving code leaves the
list as it is. A text that is not there, or there twice, must be adapted to the code of today. The
tests of all mutants are first run on the package as it is, where they must pass. With
``--root DIR`` all this is done to another checkout. The exit code is 1 unless every mutant is
killed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import NamedTuple

COPIED = ("minirobert", "tests", "tutorials", "README.md", "pyproject.toml")


class Mutant(NamedTuple):
    """A fault: a text that stands once in the package, and what takes its place."""

    name: str
    old: str
    new: str
    tests: tuple[str, ...]
    file: str = "*.py"  # or the name of the one where the text stands


MODELS = "tests/equivalence/test_models.py::test_float64_agrees_to_1e_10"
BASE = (f"{MODELS}[RobertaModel-numpy]",)
MASKED = (f"{MODELS}[RobertaForMaskedLM-numpy]",)
CAUSAL = (f"{MODELS}[RobertaForCausalLM-numpy]",)
DROPOUT = ("tests/equivalence/test_decoder.py::test_dropout_is_at_the_same_places",)
CUTS = ("tests/equivalence/test_decoder.py::test_any_cut_gives_what_one_run_gives[numpy]",)
FUNCTIONAL = ("tests/test_functional.py",)
KERNELS = ("tests/kernels/test_cpu.py",)
LOSSES = ("tests/test_losses.py",)
CACHE = ("tests/test_cache.py",)
READING = ("tests/checkpoints/test_reading.py",)
CHANGED = ("tests/checkpoints/test_changed_models.py",)
GREEDY = ("tests/equivalence/test_generation.py::test_greedy[numpy]",)
BEAMS = ("tests/equivalence/test_generation.py::test_long_beam_searches_that_end_early",)
SCORES = ("tests/generation/test_scores.py",)
TOKENIZER = ("tests/tokenization/test_tokenizer.py",)
ONE_TEXT = ("tests/equivalence/test_tokenizer.py::test_one_text",)

MUTANTS = (
    # Attention
    Mutant(
        "attention-scale",
        "scores / math.sqrt(query.shape[-1])",
        "scores / math.sqrt(value.shape[1])",
        BASE,
    ),
    Mutant(
        "cross-attention-scale",
        "dot(query, key) / math.sqrt(query.shape[-1])",
        "dot(query, key)",
        BASE,
    ),
    Mutant("mask-polarity", "where(attend, scores, lowest)", "where(attend, lowest, scores)", BASE),
    Mutant(
        "mask-with-infinity",
        "float(xp.finfo(scores.dtype).min)",
        'float("-inf")',
        ("tests/models/test_models.py::test_a_row_without_any_key_averages_the_values",),
    ),
    Mutant(
        "heads-by-reshape",
        "return xp.permute_dims(x, (0, 2, 1, 3))",
        "return xp.reshape(x, (batch, n_heads, length, hidden // n_heads))",
        BASE,
    ),
    Mutant("causal-looks-not-at-itself", "return keys <= queries", "return keys < queries", CAUSAL),
    Mutant("causal-without-past", "n_keys, n_keys - n_queries, like)", "n_keys, 0, like)", CUTS),
    Mutant(
        "distance-sign", "queries - keys + rows // 2", "keys - queries + rows // 2", BASE
    ),
    Mutant(
        "distance-of-keys-left-out",
        'kind == "relative_key_query"',
        'kind == "relative_query"',
        BASE,
    ),
    Mutant("head-mask-left-out", "probabilities * head_mask", "probabilities", BASE),
    # Embeddings
    Mutant("positions-without-offset", "* is_token + padding_idx", "* is_token", BASE),
    Mutant(
        "padding-advances-positions",
        "cumulative_sum(is_token, axis=1)",
        "cumulative_sum(is_token * 0 + 1, axis=1)",
        BASE,
    ),
    Mutant("positions-of-embeddings", "first = padding_idx + 1", "first = padding_idx", BASE),
    Mutant("token-types-left-out", "word + token_type", "word", BASE),
    # Formulas
    Mutant(
        "softmax-axis",
        "e / xp.sum(e, axis=-1, keepdims=True)",
        "e / xp.sum(e, axis=-2, keepdims=True)",
        FUNCTIONAL,
    ),
    Mutant(
        "softmax-overflows",
        "xp.exp(x - xp.max(x, axis=-1, keepdims=True))",
        "xp.exp(x)",
        FUNCTIONAL,
    ),
    Mutant(
        "layer-norm-eps-outside",
        "xp.sqrt(variance + eps)",
        "(xp.sqrt(variance) + eps)",
        FUNCTIONAL,
    ),
    Mutant(
        "layer-norm-unbiased",
        "variance = xp.mean(centred * centred, axis=-1, keepdims=True)",
        "variance = xp.sum(centred * centred, axis=-1, keepdims=True) / (x.shape[-1] - 1)",
        FUNCTIONAL,
    ),
    Mutant(
        "gelu-by-tanh",
        "return x * 0.5 * (1.0 + erf(x * math.sqrt(0.5)))",
        "return gelu_new(x)",
        FUNCTIONAL,
    ),
    Mutant("gelu-new-constant", "0.044715 * x * x * x", "0.0447 * x * x * x", FUNCTIONAL),
    Mutant("quick-gelu-constant", "sigmoid(1.702 * x)", "sigmoid(1.7 * x)", FUNCTIONAL),
    Mutant("dropout-without-scale", "where(keep, x * scale, 0.0)", "where(keep, x, 0.0)", DROPOUT),
    # Kernels
    Mutant("kernel-not-used", "@softmax.register(np.ndarray)", "", KERNELS),
    Mutant(
        "kernel-of-other-dtypes",
        "array.dtype == np.float32 and array.size",
        "array.size",
        KERNELS,
    ),
    Mutant("kernel-never-suits", "array.dtype == np.float32 and", "False and", KERNELS),
    Mutant("kernel-layer-norm-eps", "np.sqrt(variance + eps)", "np.sqrt(variance)", KERNELS),
    Mutant("kernel-gelu-range", "_ERF_ONE = 3.94", "_ERF_ONE = 3.0", KERNELS),
    # The encoder and what stands on it
    Mutant("residual-left-out", "dense + residual", "dense", BASE),
    Mutant("attention-dropout-rate", "config.attention_probs_dropout_prob", "0.0", DROPOUT),
    Mutant(
        "pooler-of-the-last-token",
        "tanh(linear(hidden[:, 0, :]",
        "tanh(linear(hidden[:, -1, :]",
        ("tests/test_heads.py",),
    ),
    Mutant("lm-head-activation", "gelu(transformed)", "tanh(transformed)", MASKED),
    Mutant(
        "lm-head-never-tied",
        "self.word_embeddings if tied else",
        "self.params.lm_head.decoder.weight if not tied else 0 * self.word_embeddings if tied else",
        MASKED,
    ),
    Mutant("layer-norm-eps-of-lm-head", "self.config.layer_norm_eps", "1e-12", MASKED),
    # Losses
    Mutant("ignored-labels-count", "counted = labels != ignore_index", "counted = labels == labels", LOSSES),
    Mutant("loss-mean-over-all", "count = xp.sum(astype(counted, logits.dtype))", "count = xp.sum(astype(counted, logits.dtype)) * 0 + counted.shape[0]", LOSSES),
    Mutant("causal-loss-without-shift", "shifted = labels[:, 1:]", "shifted = labels[:, :-1]", CAUSAL),
    Mutant("span-loss-counts-cut-answers", "ignore_index=length", "ignore_index=-100", LOSSES),
    Mutant("span-loss-sum", "+ one_side(end_logits, end_positions)) / 2", "+ one_side(end_logits, end_positions))", LOSSES),
    Mutant("mean-squared-error-halved", ".mean(difference * difference)", ".mean(difference * difference) / 2", LOSSES),
    Mutant("sure-decisions-overflow", "xp.log1p(xp.exp(-xp.abs(logits)))", "xp.log(1.0 + xp.exp(-logits)) - xp.clip(-logits, 0.0, None)", LOSSES),
    # The cache
    Mutant("cache-length", "return 0 if self.is_token is None else int(self.is_token.shape[1])", "return 0 if self.is_token is None else int(self.is_token.shape[1]) - 1", CACHE),
    Mutant("cache-counts-padding", "xp.sum(astype(self.is_token, xp.int64), axis=1, keepdims=True)", "xp.sum(astype(self.is_token, xp.int64) * 0 + 1, axis=1, keepdims=True)", CACHE),
    Mutant("cache-forgets-when-it-grows", "larger[:, :, :past, :] = buffer[:, :, :past, :]", "larger[:, :, :past, :] = 0.0", CACHE),
    Mutant("cache-reorders-tokens-only", "layer.select(rows, self.get_seq_length())", "pass", CACHE),
    Mutant("cache-keeps-the-encoders-order", "self.cross = xp.take(keys, rows, axis=0), xp.take(values, rows, axis=0)", "self.cross = keys, values", CACHE),
    # Checkpoints
    Mutant("gamma-is-bias", '"LayerNorm.gamma", "LayerNorm.weight"', '"LayerNorm.gamma", "LayerNorm.bias"', READING),
    Mutant("prefix-stays", 'name = name.removeprefix("roberta.")', "pass", READING),
    Mutant("bfloat16-shift", "wide <<= 16", "wide <<= 15", READING),
    Mutant("bias-of-the-head-wins", 'renamed["lm_head.bias"] = renamed.pop("lm_head.decoder.bias")', 'renamed.pop("lm_head.decoder.bias")', READING),
    Mutant("any-pickle-is-opened", '_only_pickled(str(directory), str(directory))', 'FileNotFoundError("no weights")', READING),
    Mutant("resizing-cuts-the-first-rows", "array[:count, ...]", "array[-count:, ...]", CHANGED),
    Mutant("resizing-rounds-down", "math.ceil(count / int(multiple))", "math.floor(count / int(multiple))", CHANGED),
    Mutant("new-rows-around-zero", "np.asarray(mean + math", "np.asarray(0 * mean + math", CHANGED),
    Mutant("pruning-keeps-the-pruned", "if head in after]", "if head not in after]", CHANGED),
    Mutant("pruning-cuts-rows-of-the-output", '"output.dense.weight": 1', '"output.dense.weight": 0', CHANGED),
    # The tokenizer
    Mutant("merges-last-first", "{pair: rank for rank, pair", "{pair: -rank for rank, pair", ("tests/tokenization/test_bpe.py",)),
    Mutant("fast-merges-ignore-better-pairs", "if queue and queue[0] < rank:", "if queue and queue[0] < -1:", ("tests/tokenization/test_bpe.py",)),
    Mutant("contraction", "s|t|re|ve|m|ll|d", "s|t|re|ve|m|ll", ONE_TEXT),
    Mutant("white-space-before-a-word", r"\s+(?!\S)", r"\s+(?!\s)", ONE_TEXT),
    Mutant("mask-takes-the-wrong-side", "if token.lstrip:", "if token.rstrip:", ("tests/tokenization/test_added_tokens.py",)),
    Mutant("shortest-token-wins", "key=len, reverse=True", "key=len", ("tests/tokenization/test_added_tokens.py",)),
    Mutant("offsets-keep-white-space", "start = min(start + leading, end)", "pass", ("tests/tokenization/test_offsets.py",)),
    Mutant("truncation-side", 'slice(kept) if side == "right"', 'slice(kept) if side == "left"', ("tests/tokenization/rows/test_truncation.py",)),
    Mutant("longest-first-ties", "if first <= second else", "if first < second else", ("tests/tokenization/rows/test_truncation.py",)),
    Mutant("stride", "step = kept - stride", "step = kept", ("tests/equivalence/test_encodings.py::test_windows",)),
    Mutant("padding-side", '[*row, *padding] if side == "right"', '[*row, *padding] if side == "left"', ("tests/tokenization/rows/test_padding.py",)),
    Mutant("padding-multiple", "-(-target // multiple) * multiple", "target // multiple * multiple", ("tests/tokenization/rows/test_padding.py",)),
    Mutant("special-tokens-mask", "framed(zeros, 1, 1, row_format)", "framed(zeros, 1, 0, row_format)", ONE_TEXT),
    Mutant("padding-is-no-special-token", '"special_tokens_mask": 1,', '"special_tokens_mask": 0,', ("tests/tokenization/rows/test_padding.py",)),
    # Generation
    Mutant("repetition-penalty-sign", "where(scores < 0, scores * penalty", "where(scores > 0, scores * penalty", SCORES),
    Mutant("top-p-boundary", "up_to <= 1 - p", "up_to < 1 - p", SCORES),
    Mutant("top-p-keeps-one-less", "scores.shape[1] - min_tokens_to_keep)", "scores.shape[1])", SCORES),
    Mutant("top-k-drops-equals", "scores < values[:, -1:]", "scores <= values[:, -1:]", SCORES),
    Mutant("ngram-length", "runs = length - size + 1", "runs = length - size", SCORES),
    Mutant("end-too-early", "if n_new >= least:", "if n_new >= least - 1:", SCORES),
    Mutant("length-penalty", "score / length**self", "score * length**self", BEAMS),
    Mutant("beams-never-stop-early", "early_stopping is True", "early_stopping is None", BEAMS),
    Mutant("text-goes-on-behind-its-end", "ended = ended | is_one_of(tokens", "ended = ended & is_one_of(tokens", GREEDY),
    Mutant("draws-the-word-before", "ends <= uniform[:, None] * total", "ends < uniform[:, None] * total", ("tests/generation/test_generate.py",)),
    # Pipelines
    Mutant("sigmoid-of-one-class-only", "one_a_class or config.num_labels == 1", "config.num_labels == 1", ("tests/pipelines/test_text_classification.py",)),
    Mutant("aggregation-max", "max(word, key=lambda token", "min(word, key=lambda token", ("tests/pipelines/test_token_classification.py",)),
    Mutant("entities-begin", "not begins and tag ==", "tag ==", ("tests/pipelines/test_token_classification.py",)),
    Mutant("answer-ends-before-it-starts", "firsts + lengths < n_tokens", "firsts + lengths < n_tokens + 1", ("tests/pipelines/test_question_answering.py",)),
    Mutant("answers-of-equal-score", "inside[np.argsort(-scores[inside], kind=\"stable\")[:k]]", "inside[np.argsort(scores[inside], kind=\"stable\")[::-1][:k]]", ("tests/pipelines/test_question_answering.py",)),
    Mutant("answer-from-the-question", "may_be[0] = may_be[context] = True", "may_be[:] = True", ("tests/pipelines/test_question_answering.py",)),
    Mutant("contradiction-left-out", "[contradiction, entailment]])[:, 1]", "[contradiction, entailment]])[:, 0]", ("tests/pipelines/test_zero_shot_classification.py",)),
    # Checks, warnings, and rules of the house
    Mutant("heads-need-not-divide", "% self.num_attention_heads", "% 1", ("tests/test_config.py",)),
    Mutant("an-id-too-large", "int(xp.max(ids)) < stop", "int(xp.max(ids)) <= stop", ("tests/models/test_inputs.py",)),
    Mutant("warning-points-into-the-package", "while frame.f_back is not None and _is_inside(frame):", "while False:", ("tests/models/test_auto.py", "tests/tokenization/rows/test_lengths.py")),
    Mutant("unpickles", "from safetensors import SafetensorError, safe_open", "from pickle import loads\nfrom safetensors import SafetensorError, safe_open", ("tests/test_imports.py",)),
    Mutant("numpy-in-the-mathematics", "from functools import singledispatch", "from functools import singledispatch\nimport numpy.linalg", ("tests/test_array_libraries.py",)),
    Mutant("what-cupy-lacks", "array_namespace(difference).mean(", "array_namespace(difference).nanmode(", ("tests/test_array_libraries.py",)),
)  # fmt: skip


def found_in(root: Path, mutant: Mutant) -> list[Path]:
    """Tell in which files a mutant's text stands, one that has it twice twice."""
    paths = sorted((root / "minirobert").rglob(mutant.file))
    return [path for path in paths for _ in range(path.read_text("utf-8").count(mutant.old))]


def run_tests(root: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Run tests in a checkout, giving pytest's exit code and its last line."""
    environment = {**os.environ, "PYTHONPATH": str(root), "HYPOTHESIS_PROFILE": "ci"}
    options = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist")
    command = [sys.executable, "-m", "pytest", *options, *tests]
    result = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    return result.returncode, (result.stdout.strip() or result.stderr).splitlines()[-1]


def tried(root: Path, mutant: Mutant) -> str:
    """Put a mutant into a scratch copy, run its tests, and take it out again."""
    places = found_in(root, mutant)
    if len(places) != 1:
        return "not found" if not places else "found more than once"
    (path,) = places
    source = path.read_text("utf-8")
    path.write_text(source.replace(mutant.old, mutant.new), "utf-8")
    try:
        code, line = run_tests(root, mutant.tests)
    finally:
        path.write_text(source, "utf-8")
    return {0: "SURVIVED", 1: "killed"}.get(code, f"not applicable: {line}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="a part of the names of those to try")
    parser.add_argument("--jobs", type=int, default=1, help="how many to try at once")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    options = parser.parse_args()
    mutants = [mutant for mutant in MUTANTS if options.only in mutant.name]
    with tempfile.TemporaryDirectory() as directory:
        copies: Queue[Path] = Queue()
        for number in range(options.jobs):
            copies.put(copied(options.root, Path(directory) / str(number)))

        def in_a_copy(mutant: Mutant) -> str:
            copy, start = copies.get(), time.perf_counter()
            try:
                verdict = tried(copy, mutant)
            finally:
                copies.put(copy)
            print(f"{mutant.name:36} {verdict} ({time.perf_counter() - start:.0f} s)", flush=True)
            return verdict

        selected = dict.fromkeys(test for mutant in mutants for test in mutant.tests)
        code, line = run_tests(Path(directory) / "0", tuple(selected))
        if code:
            print(f"without any mutant: {line}", file=sys.stderr)
            return 1
        with ThreadPoolExecutor(options.jobs) as pool:
            verdicts = list(pool.map(in_a_copy, mutants))
    killed = verdicts.count("killed")
    print(f"{killed} of {len(verdicts)} killed")
    return 0 if mutants and killed == len(verdicts) else 1


def copied(root: Path, scratch: Path) -> Path:
    scratch.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy
        copy(root / name, scratch / name)
    return scratch


if __name__ == "__main__":
    sys.exit(main())
