"""The text-generation pipeline: how a text may go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np

from ..arrays import move_like, to_numpy
from ..generation import GenerateOutput, GenerationConfig, Steering
from ..generation.prompts import DEFAULT_NEW_TOKENS, new_tokens
from ..generation.sampling import generator
from ..keywords import takes
from ..models.language_models import RobertaForCausalLM
from ..rules import STRING, check, is_integer
from ..threads import limited
from ..tokenization import RobertaTokenizer
from ..tokenization.decoding import parts_of_text
from .base import Job, Pipeline, Row, flag, or_else
from .inputs import check_text
from .keywords import OF_CALLS, OF_GENERATION, OF_GENERATORS, OF_OBJECTS
from .results import GeneratedTokens, Generation
from .typed_calls import one_or_many

__all__ = ["Generation", "TextGenerationPipeline"]


class Continuation(NamedTuple):
    """The new tokens of a text, and what a `Generation` says of them besides."""

    tokens: list[int]
    more: dict[str, Any]


#: transformers' defaults of this pipeline; a model's configuration may have others.
DEFAULTS = {"do_sample": True, "temperature": 0.7}
PIPELINE_NEW_TOKENS = 256
#: What a generation is given besides options: see `minirobert.generation.Steering`.
FUNCTIONS = tuple(one.name for one in fields(Steering))


class Limits(NamedTuple):
    """How many new tokens come behind a text."""

    least: int
    most: int

    def of(self, config: GenerationConfig) -> GenerationConfig:
        """Put them in place of those of the options."""
        return replace(config, min_new_tokens=self.least, max_new_tokens=self.most)


class TextGenerationPipeline(Pipeline[RobertaForCausalLM]):
    """Continue texts.

    Parameters
    ----------
    model : RobertaForCausalLM
    tokenizer : RobertaTokenizer
    return_full_text, return_tensors, prefix, add_special_tokens, clean_up_tokenization_spaces, rng
        Defaults of the call, see `__call__`.
    device, batch_size, tokenizer_kwargs, progress_bar, threads
        See `Pipeline`.
    **generation
        Options of `minirobert.GenerationConfig`, such as ``max_new_tokens``. Words are drawn, with
        the temperature 0.7, unless ``do_sample=False`` or ``num_beams`` says otherwise; up to 256
        are added, or as many as the position table has room for.

    >>> from minirobert import RobertaConfig
    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=8192, is_decoder=True)
    >>> continue_text = TextGenerationPipeline(
    ...     RobertaForCausalLM(config), RobertaTokenizer.from_pretrained(), max_new_tokens=3
    ... )
    >>> continue_text("The sky is")[0]["generated_text"].startswith("The sky is")  # drawn weights
    True
    """

    task = "text-generation"
    may_be_empty = True

    @takes(OF_OBJECTS | OF_GENERATORS)
    def __init__(
        self,
        model: RobertaForCausalLM,
        tokenizer: RobertaTokenizer,
        *,
        return_full_text: bool = True,
        return_tensors: bool = False,
        prefix: str | None = None,
        add_special_tokens: bool | None = None,
        clean_up_tokenization_spaces: bool = False,
        rng: Any = None,
        device: Any = None,
        batch_size: int = 1,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        progress_bar: bool = False,
        threads: int | None = None,
        **generation: Any,
    ):
        super().__init__(
            model,
            tokenizer,
            device=device,
            batch_size=batch_size,
            tokenizer_kwargs=tokenizer_kwargs,
            progress_bar=progress_bar,
            threads=threads,
        )
        self.return_full_text = return_full_text
        self.return_tensors = return_tensors
        self._of_task = dict((model.config.task_specific_params or {}).get(self.task) or {})
        of_files = self._of_task.pop("prefix", model.config.prefix)
        self.prefix = check("prefix", or_else(prefix, of_files or ""), STRING)
        self.add_special_tokens = add_special_tokens
        self.clean_up_tokenization_spaces = clean_up_tokenization_spaces
        self.rng = rng
        self.functions = {"tokenizer": tokenizer, **_taken_functions(generation)}
        given = generation.pop("generation_config", None)
        self.generation = {**_given_in(given), **generation}
        self._config(self.generation)  # finds a wrong option now

    @one_or_many(str)  # type: ignore[arg-type]  # as there are any other options
    @takes(OF_CALLS | OF_GENERATION)
    def __call__(
        self,
        inputs: str | Iterable[str],
        *,
        return_full_text: bool | None = None,
        return_tensors: bool | None = None,
        prefix: str | None = None,
        generation_config: GenerationConfig | None = None,
        rng: Any = None,
        batch_size: int | None = None,
        progress_bar: bool | None = None,
        **generation: Any,
    ) -> list[Generation]:
        """Continue one text, or several.

        Parameters
        ----------
        inputs : str, list of str, or any iterable of str
            An empty text begins with ``bos_token_id``.
        return_full_text : bool, optional
            Give the text and what follows (the default), or what follows alone.
        return_tensors : bool, optional
            Give ids in place of texts, those of the prompt first.
        prefix : str, optional
            Put before each text, and not returned; ``max_length`` and ``min_length`` do not count
            it. By default that of the configuration, or none.
        generation_config : GenerationConfig, optional
            What it does not say is as the pipeline was told, or the model says; words are drawn
            only if one of them says so.
        rng : int or numpy.random.Generator, optional
            A seed, or where the random numbers come from. What is drawn for a text depends on its
            place among the inputs, but not on the other texts, nor on ``batch_size``.
        batch_size, progress_bar : optional
            See `Pipeline`: how many texts to compute at once (1 by default), padded on the left to
            one length, and whether to show how many texts are done.
        **generation
            Options of `minirobert.GenerationConfig`, in place of those of the pipeline, and the
            functions of `minirobert.generation.Steering`.

        The pipeline itself also takes ``add_special_tokens``: by default each text begins with
        ``<s>``, as in training, with True it also ends with ``</s>``, as in transformers, and with
        False it has neither; and ``clean_up_tokenization_spaces`` (False), which removes the spaces
        before punctuation of what follows.

        Returns
        -------
        list of dict
            For one text, ``generated_text`` (or ``generated_token_ids``) of each of
            ``num_return_sequences`` continuations. A list of texts gives a list of such lists,
            another iterable an iterator of them.

        Raises
        ------
        ValueError
            If a text is too long, or an option breaks its rule.
        TypeError
            If a text is not a string, or an option is not known.
        """
        config, functions, prompt = self._settled(generation, generation_config, rng, prefix)
        full = flag("return_full_text", return_full_text, self.return_full_text)
        ids = flag("return_tensors", return_tensors, self.return_tensors)
        job: Job[Any] = Job(  # of texts, or of ids with return_tensors
            lambda text, name: [prompt(text, name)],
            lambda rows: self._continuations(rows, config, functions),
            lambda text, rows, outputs: [
                self._answer(text, rows[0], new, full, ids) for new in outputs[0]
            ],
        )
        return self._run(inputs, job, batch_size, progress_bar)

    def stream(
        self,
        text: str,
        *,
        prefix: str | None = None,
        generation_config: GenerationConfig | None = None,
        rng: Any = None,
        **generation: Any,
    ) -> Iterator[str]:
        """Continue a text, and give each part of what follows as soon as it is known.

        Parameters
        ----------
        text : str
        prefix, generation_config, rng, **generation
            As of `__call__`; one text, of one beam.

        Returns
        -------
        iterator of str
            Put together, they are what the call returns without the text itself. A part has whole
            characters: one of several tokens comes with the last of them.

        Raises
        ------
        ValueError, TypeError
            As of `__call__`: at once, not with the first part.
        """
        config, functions, prompt = self._settled(generation, generation_config, rng, prefix)
        if config.num_return_sequences > 1:
            raise ValueError(
                f"num_return_sequences is {config.num_return_sequences}, but only one text can be "
                "streamed"
            )
        row = prompt(text, "the text")
        tokens = self.model.stream(
            *self._left_padded([row]),
            row["limits"].of(config),
            rng=[row["random"]] if config.do_sample else None,
            **functions,
        )
        return self._parts(int(to_numpy(token)[0]) for token in self._steps(tokens))

    def _steps(self, tokens: Iterator[Any]) -> Iterator[Any]:
        """Compute each token with the threads of this pipeline, and none between two of them."""
        while True:
            with limited(self.threads):
                token = next(tokens, None)
            if token is None:
                return
            yield token

    def _parts(self, ids: Iterable[int]) -> Iterator[str]:
        """Give the text that each token completes: not all of it anew for each."""
        added = self.tokenizer.added_tokens_decoder
        special = {index for index, token in added.items() if token.special}
        tokens = (self.tokenizer.convert_ids_to_tokens(one) for one in ids if one not in special)
        return parts_of_text(tokens, self.tokenizer.added_tokens_encoder, self.tokenizer.errors)

    def _settled(
        self, options: dict[str, Any], given: GenerationConfig | None, rng: Any, prefix: str | None
    ) -> tuple[GenerationConfig, dict[str, Any], Callable[[Any, str], Row]]:
        """Settle the options and functions of a call, and with them what encodes its texts."""
        functions = {**self.functions, **_taken_functions(options)}
        config = self._config(options, given, rng)
        prompt = partial(
            self._prompt,
            config=config,
            source=generator(or_else(rng, self.rng)),
            prefix=check("prefix", or_else(prefix, self.prefix), STRING),
            most=PIPELINE_NEW_TOKENS if given is None else DEFAULT_NEW_TOKENS,
        )
        return config, functions, prompt

    def _config(
        self, options: Mapping[str, Any], given: GenerationConfig | None = None, rng: Any = None
    ) -> GenerationConfig:
        """Put the options of a call together with those of the pipeline, the task and the model."""
        said, call = _given_in(given), options
        options = {**{n: v for n, v in self.generation.items() if n not in said}, **options}
        below = {**self.model.generation_options(), **self._of_task, **said}
        if given is None and {**below, **options}.get("num_beams", 1) == 1:
            below = {**DEFAULTS, **below}
        return GenerationConfig.settled(below, None, options, {**said, **call, "rng": rng})

    def _prompt(
        self,
        text: Any,
        name: str,
        config: GenerationConfig,
        source: np.random.Generator,
        prefix: str,
        most: int,
    ) -> Row:
        """Encode a text, and check that what is to follow has room."""
        check_text(name, text)
        options = {"add_special_tokens": bool(self.add_special_tokens), **self.tokenizer_kwargs}
        ids = self._row(name, prefix + text, options=options)["input_ids"]
        bos = self.tokenizer.bos_token_id
        if self.add_special_tokens is None and bos is not None and ids[:1] != [bos]:
            ids = [bos, *ids]
        model = self.model.config
        if not ids:
            if not is_integer(config.bos_token_id):
                raise ValueError(f"{name} is empty, and there is no bos_token_id to begin with")
            ids = [config.bos_token_id]
        if ids[-1] == model.pad_token_id:
            raise ValueError(f"{name} ends in the padding token: take that away")
        if prefix:  # lengths do not count it
            n_prefix = len(self._row("prefix", prefix, options=options)["input_ids"])
            config = replace(
                config,
                max_length=config.max_length and config.max_length + n_prefix,
                min_length=config.min_length and config.min_length + n_prefix,
            )
        n_new = new_tokens(config, model, len(ids), default=most, name=name)
        least = or_else(config.min_new_tokens, config.min_length - len(ids))
        limits = Limits(min(max(least, 0), n_new), n_new)
        return {"input_ids": ids, "limits": limits, "random": source.spawn(1)[0]}

    def _padded(self, rows: Sequence[Row]) -> Any:
        """Leave the rows of a batch as they are: not all of them may be continued together."""
        return rows

    def _left_padded(self, rows: Sequence[Row]) -> tuple[Any, Any]:  # [B, S], bool [B, S]
        length = max(len(row["input_ids"]) for row in rows)
        pad = self.model.config.pad_token_id
        ids = [[pad] * (length - len(row["input_ids"])) + row["input_ids"] for row in rows]
        mask = [[i >= length - len(row["input_ids"]) for i in range(length)] for row in rows]
        like = self.model.word_embeddings
        return move_like(np.array(ids), like), move_like(np.array(mask), like)

    def _continuations(
        self, rows: Any, config: GenerationConfig, functions: Mapping[str, Any]
    ) -> list[list[Continuation]]:
        """Give R continuations for each row.

        Those of which different numbers of new tokens are to come are continued apart, so that no
        text depends on the length of another.
        """
        found: dict[int, list[Continuation]] = {}
        for limits in dict.fromkeys(row["limits"] for row in rows):
            places = [i for i, row in enumerate(rows) if row["limits"] == limits]
            chosen = [rows[i] for i in places]
            new = self._new_tokens(chosen, limits.of(config), functions)
            found |= dict(zip(places, new, strict=True))
        return [found[i] for i in range(len(rows))]

    def _new_tokens(
        self, rows: Sequence[Row], config: GenerationConfig, functions: Mapping[str, Any]
    ) -> list[list[Continuation]]:
        ids, mask = self._left_padded(rows)
        output = self.model.generate(
            ids,
            mask,
            replace(config, return_dict_in_generate=True),
            rng=[row["random"] for row in rows] if config.do_sample else None,
            **functions,
        )
        new = to_numpy(output.sequences)[:, ids.shape[1] :].tolist()
        ended = [_until_the_end(one, config.eos_token_ids) for one in new]
        each = [
            Continuation(tokens, _more(output, i, len(tokens), config.num_beams))
            for i, tokens in enumerate(ended)
        ]
        n = config.num_return_sequences
        return [each[n * i : n * (i + 1)] for i in range(len(rows))]

    def _answer(
        self, text: str, row: Row, new: Continuation, full: bool, ids: bool
    ) -> Generation | GeneratedTokens:
        if ids:
            return {"generated_token_ids": [*row["input_ids"], *new.tokens]}
        follows = self.tokenizer.decode(
            new.tokens,
            skip_special_tokens=True,
            clean_up_tokenization_spaces=self.clean_up_tokenization_spaces,
        )
        answer: Any = {"generated_text": text + follows if full else follows, **new.more}
        return cast(Generation, answer)


def _more(output: GenerateOutput, i: int, n_new: int, num_beams: int) -> dict[str, Any]:
    """Take the scores of sequence ``i``; those of beams are not those of one sequence."""
    if num_beams > 1:
        found = output.sequences_scores
        is_asked = found is not None and output.scores is not None
        return {"sequences_scores": float(to_numpy(found)[i])} if is_asked else {}
    tables = {"scores": output.scores, "logits": output.logits}
    return {
        name: [to_numpy(step[i]).tolist() for step in steps[:n_new]]
        for name, steps in tables.items()
        if steps is not None
    }


def _given_in(config: GenerationConfig | None) -> dict[str, Any]:
    return {} if config is None else GenerationConfig.checked(config).given


def _taken_functions(options: dict[str, Any]) -> dict[str, Any]:
    """Take what is not an option out of those of a call."""
    return {name: options.pop(name) for name in FUNCTIONS if name in options}


def _until_the_end(tokens: list[int], eos_token_ids: Sequence[int]) -> list[int]:
    """Leave out the padding behind the token that ends a text.

    >>> _until_the_end([5, 2, 1, 1], [2])
    [5, 2]
    """
    ends = [i for i, token in enumerate(tokens) if token in eos_token_ids]
    return tokens[: ends[0] + 1] if ends else tokens
