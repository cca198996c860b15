"""What a model that continues texts has besides: the options of generation, and the loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .. import generation
from ..arrays import Array
from ..cache import KeyValueCache
from ..checks import warn
from ..config_file import OF_GENERATION
from ..files import ModelFiles, naming, read_json
from ..generation import GenerateOutput, GenerationConfig, Steering, Texts
from ..generation.settings import (
    OF_PROMPTS,
    SETTINGS_NAME,
    check_options,
    options_of_model_config,
    read_settings,
    tokens_of,
    warn_of_what_is_not_here,
)
from ..keywords import takes
from ..sentences import listed, shown
from ..torch_callers import tensor_like
from .arguments import Arguments, Wanted
from .base import RobertaHeadModel
from .inputs import check_inputs
from .reading import last_tokens


class GenerationMixin(RobertaHeadModel):
    """Generation, for a model whose head scores the next word."""

    @property
    def generation_config(self) -> GenerationConfig:
        """How the model generates where a call says nothing else.

        It comes from ``generation_config.json``, or else ``config.json``. To change an option is
        allowed, or to assign another `GenerationConfig`.
        """
        if "_generation" not in vars(self):
            options = options_of_model_config(self.config)
            self.generation_config = GenerationConfig.from_dict(options)
        config: GenerationConfig = vars(self)["_generation"]
        return config

    @generation_config.setter
    def generation_config(self, config: GenerationConfig) -> None:
        vars(self)["_generation"] = GenerationConfig.checked(config)

    def generation_options(self) -> dict[str, Any]:
        """Give the options that `generation_config` says, and the tokens of the configuration."""
        if "_generation" not in vars(self):  # the configuration may still be changed
            return options_of_model_config(self.config)
        return {**tokens_of(self.config), **self.generation_config.given}

    @classmethod
    def _read_beside(cls, files: ModelFiles, arguments: dict[str, Any]) -> dict[str, Any]:
        given = arguments.pop("generation_config", None)
        if given is not None:
            return {"_generation": GenerationConfig.checked(given)}
        config = GenerationConfig.from_pretrained(files) if files.fetch(SETTINGS_NAME) else None
        if files.fetch("config.json"):
            path = files.directory / "config.json"
            said = read_json(path, tell=False)
            said = {name: value for name, value in said.items() if name in OF_GENERATION}
            _tell_of_config_json(said, config, files.name)
            if config is None:
                with naming(path):
                    check_options({n: said[n] for n in said if n not in arguments})
        return {} if config is None else {"_generation": config}

    def _written_beside(self) -> dict[str, str]:
        return {SETTINGS_NAME: self.generation_config.to_json_string()}

    @takes(OF_PROMPTS)
    def generate(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        generation_config: GenerationConfig | None = None,
        *,
        logits_processor: Any = None,
        stopping_criteria: Any = None,
        prefix_allowed_tokens_fn: Any = None,
        inputs_embeds: Any = None,
        token_type_ids: Any = None,
        tokenizer: Any = None,
        encoder_hidden_states: Any = None,
        encoder_attention_mask: Any = None,
        rng: Any = None,
        **options: Any,
    ) -> Any:
        """Continue texts.

        Parameters
        ----------
        input_ids : integers of shape [B, S], optional
            The prompts, padded on the left, with the model's ``pad_token_id`` or that of the
            options. Without them, a text begins with ``bos_token_id``.
        attention_mask : 0 and 1 of shape [B, S], optional
            By default padding is masked.
        generation_config : GenerationConfig, optional
            In place of the model's own; what it does not say is as there.
        logits_processor, stopping_criteria, prefix_allowed_tokens_fn : optional
            Functions that change scores, end texts, or allow only some words: see
            `minirobert.generation.Steering`.
        inputs_embeds : floats of shape [B, K, H], optional
            Word embeddings, which a decoder reads in place of the prompts; positions are counted
            where ``attention_mask`` is 1. Only what follows is returned then, behind ``input_ids``
            if these are given too.
        token_type_ids : integers of the shape of ``attention_mask``, optional
            By default 0. What follows is of the type of the last token.
        tokenizer : RobertaTokenizer, optional
            For ``stop_strings``.
        encoder_hidden_states : floats of shape [B, E, H], optional
            For a decoder with cross-attention.
        encoder_attention_mask : 0 and 1 of shape [B, E], optional
        rng : int, numpy.random.Generator, or a list of B of them, optional
            A seed, or where the random numbers of ``do_sample`` come from. What is drawn for a text
            depends on its place, but not on the other texts.
        **options
            Those of `GenerationConfig`, such as ``max_new_tokens``, ``do_sample``, ``top_p``,
            ``num_beams``, in place of what ``generation_config`` says.

        Returns
        -------
        int64 Array of shape [B R, T]
            The prompts and what follows, R sequences for each (``num_return_sequences``). With
            ``return_dict_in_generate``, ``output_scores`` or ``output_logits``, a GenerateOutput.

        Raises
        ------
        ValueError, TypeError
            If an option breaks its rule, or the prompts are padded on the right, are empty, or are
            too long for what is to follow.

        >>> from minirobert import RobertaConfig, RobertaForCausalLM
        >>> model = RobertaForCausalLM(RobertaConfig(vocab_size=9, is_decoder=True))
        >>> model.generate([[0, 5, 6]], max_new_tokens=2).shape
        (1, 5)
        """
        config = self._generation_config(generation_config, options, rng)
        steering = Steering(
            logits_processor=logits_processor,
            stopping_criteria=stopping_criteria,
            prefix_allowed_tokens_fn=prefix_allowed_tokens_fn,
            tokenizer=tokenizer,
        )
        texts, n_new = self._texts(
            *(config, input_ids, attention_mask),
            *(encoder_hidden_states, encoder_attention_mask, inputs_embeds, token_type_ids),
        )
        output: GenerateOutput = generation.generate(texts, config, n_new, rng, steering)
        output = tensor_like(output, (input_ids, inputs_embeds), self.word_embeddings)
        wanted = config.return_dict_in_generate or config.output_scores or config.output_logits
        return output if wanted else output.sequences

    @takes(OF_PROMPTS)
    def stream(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        generation_config: GenerationConfig | None = None,
        *,
        logits_processor: Any = None,
        stopping_criteria: Any = None,
        prefix_allowed_tokens_fn: Any = None,
        inputs_embeds: Any = None,
        token_type_ids: Any = None,
        tokenizer: Any = None,
        encoder_hidden_states: Any = None,
        encoder_attention_mask: Any = None,
        rng: Any = None,
        **options: Any,
    ) -> Iterator[Array]:
        """Continue texts, and give each token as soon as it is chosen.

        Parameters
        ----------
        input_ids, attention_mask, generation_config, **options
            As for `generate`.
        logits_processor, stopping_criteria, prefix_allowed_tokens_fn : optional
        inputs_embeds, token_type_ids, tokenizer, encoder_hidden_states, encoder_attention_mask, rng
            As there.

        Returns
        -------
        iterator of int64 Arrays of shape [B R]
            The next token of each text; padding where one has ended. One after the other they are
            what `generate` puts behind the prompts.

        Raises
        ------
        ValueError, TypeError
            As there, and for beam search: at once, not with the first token.
        """
        config = self._generation_config(generation_config, options, rng)
        steering = Steering(
            logits_processor=logits_processor,
            stopping_criteria=stopping_criteria,
            prefix_allowed_tokens_fn=prefix_allowed_tokens_fn,
            tokenizer=tokenizer,
        )
        texts, n_new = self._texts(
            *(config, input_ids, attention_mask),
            *(encoder_hidden_states, encoder_attention_mask, inputs_embeds, token_type_ids),
        )
        return generation.stream(texts, config, n_new, rng, steering)

    def compute_transition_scores(
        self,
        sequences: Any,
        scores: Sequence[Array],
        beam_indices: Any = None,
        normalize_logits: bool = False,
    ) -> Array:
        """Give the score of each new token, out of a GenerateOutput with ``output_scores``.

        Parameters
        ----------
        sequences, scores, beam_indices
            What the output has under these names; the last is None but for beam search.
        normalize_logits : bool
            Make the scores logarithms of probabilities first, as those of beam search are.

        Returns
        -------
        Array of shape [B R, new]
            For beam search, 0 behind the end of a text: the sum of a row, divided by the number of
            its tokens to the power of ``length_penalty``, is that of ``sequences_scores``.

        >>> from minirobert import RobertaConfig, RobertaForCausalLM
        >>> model = RobertaForCausalLM(RobertaConfig(vocab_size=9, is_decoder=True))
        >>> output = model.generate([[0, 5, 6]], max_new_tokens=2, output_scores=True)
        >>> model.compute_transition_scores(output.sequences, output.scores).shape
        (1, 2)
        """
        return generation.transition_scores(sequences, scores, beam_indices, normalize_logits)

    def _generation_config(
        self, config: GenerationConfig | None, options: dict[str, Any], rng: Any
    ) -> GenerationConfig:
        new = {**options, "rng": rng}
        return GenerationConfig.settled(self.generation_options(), config, options, new)

    def _texts(self, config: GenerationConfig, *inputs: Any) -> tuple[Texts, int]:
        return generation.prepare(
            self._next_logits, self.config, self.word_embeddings, config, *inputs
        )

    def _next_logits(
        self,
        input_ids: Array | None,
        attention_mask: Array,
        past_key_values: KeyValueCache | None,
        encoder_hidden_states: Array | None,
        encoder_attention_mask: Array | None,
        inputs_embeds: Array | None = None,
        position_ids: Array | None = None,
        token_type_ids: Array | None = None,
    ) -> Array:  # [B, S] -> [B, V]
        """Score the word behind the last token, which alone is read."""
        arguments = Arguments(
            input_ids,
            attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            past_key_values=past_key_values,
        )
        inputs, _ = check_inputs(self.config, self.word_embeddings, arguments)
        inputs = inputs._replace(read=last_tokens(inputs.is_token))
        encoded = self._encode(inputs, Wanted(False, False))
        last = encoded.last_hidden_state[:, -1, :]  # [B, H]
        return self.head.logits(last, self.params, self.config, (), None)[0]


def _tell_of_config_json(
    said: Mapping[str, Any], config: GenerationConfig | None, name: str
) -> None:
    """Tell of options in the older place which are not here, or which the newer file replaces."""
    if config is None:
        warn_of_what_is_not_here(said, f"config.json of {shown(name)}")
        return
    default = GenerationConfig().to_dict()
    lost = [
        f"{option}={shown(value, 40)}"
        for option, value in read_settings(said).items()
        if option in default and value not in (default[option], getattr(config, option))
        if (option, value) != ("max_length", 20)
    ]
    if lost:
        warn(
            f"config.json of {shown(name)} asks for {listed(lost)}, but where there is a "
            f"{SETTINGS_NAME}, only that counts for generation: put them there"
        )
