"""The language models: the encoder that fills masks, and the decoder that continues texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from .. import generation
from ..arrays import Array, Shape, is_array_api_obj
from ..cache import KeyValueCache
from ..checks import random_generator, warn
from ..config import RobertaConfig
from ..config_file import OF_GENERATION
from ..documentation import documented
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
from ..heads import lm_head
from ..intermediates import Intermediate, Pass, Row
from ..keywords import takes
from ..losses import causal_lm_loss, token_loss
from ..parameters import ParameterTree, linear_shapes, norm_shapes
from ..rules import POSITIVE, check, optional
from ..sentences import listed, shown
from .arguments import SHARED, Arguments, Wanted
from .base import RobertaHeadModel
from .head import Head
from .inputs import check_inputs
from .labels import check_labels
from .outputs import CausalLMOutputWithCrossAttentions, MaskedLMOutput
from .reading import last_tokens

__all__ = ["LanguageModel", "RobertaForCausalLM", "RobertaForMaskedLM"]


class LanguageModelHead(Head):
    """The score of every word: the right one at each position."""

    name = "lm_head"
    output: ClassVar[type[Any]] = MaskedLMOutput

    def shapes(self, config: RobertaConfig) -> dict[str, Shape]:
        """One layer more; the decoder is the word embedding table where the two are tied."""
        hidden, vocab = config.hidden_size, config.vocab_size
        return {
            **linear_shapes("dense", hidden, hidden),
            **norm_shapes("layer_norm", hidden),
            "bias": (vocab,),
            **({} if config.tie_word_embeddings else {"decoder.weight": (vocab, hidden)}),
        }

    def intermediates(self, config: RobertaConfig, kind: Pass) -> Iterator[Row]:
        """List the layer, and the logits."""
        for name, formula in (("dense", "linear"), ("gelu", "gelu"), ("layer_norm", "layer_norm")):
            yield f"lm_head.{name}", Intermediate("[B, S, H]", f"functional.{formula}")
        yield "lm_head.logits", Intermediate("[B, S, V]", "functional.linear")

    def logits(
        self, hidden: Array, params: ParameterTree, config: RobertaConfig, shape: Shape, rng: Any
    ) -> tuple[Array]:  # [..., H] -> [..., V]
        """Score every word."""
        tied = config.tie_word_embeddings
        owner = params.roberta.embeddings.word_embeddings if tied else params.lm_head.decoder
        return (lm_head(hidden, params.lm_head, owner.weight, config.layer_norm_eps),)

    def check_labels(
        self, labels: tuple[Any, ...], like: Array, config: RobertaConfig, shape: Shape
    ) -> Any:
        """Check that each is a word, or ignored."""
        (given,) = labels
        return None if given is None else check_labels(given, like, config.vocab_size, shape)

    def loss(self, logits: tuple[Array, ...], labels: Any) -> Array:
        """Take the mean cross-entropy of the words that count."""
        return token_loss(logits[0], labels)


class CausalLanguageModelHead(LanguageModelHead):
    """The score of every word: the one that comes next."""

    output = CausalLMOutputWithCrossAttentions

    def check_labels(
        self, labels: tuple[Any, ...], like: Array, config: RobertaConfig, shape: Shape
    ) -> Any:
        """Check that each is a word, or ignored; the second of them is what to divide by."""
        given, num_items_in_batch = labels
        checked = super().check_labels((given,), like, config, shape)
        if is_array_api_obj(num_items_in_batch) and num_items_in_batch.shape in ((), (1,)):
            num_items_in_batch = num_items_in_batch.item()  # in no dtype of its own
        check("num_items_in_batch", num_items_in_batch, optional(POSITIVE))
        return None if checked is None else (checked, num_items_in_batch)

    def loss(self, logits: tuple[Array, ...], labels: Any) -> Array:
        """Take the mean cross-entropy of the words that follow."""
        return causal_lm_loss(logits[0], *labels)


class _LanguageModel(RobertaHeadModel):
    """A model with the language-model head."""

    def lm_head(self, hidden: Array) -> Array:  # [..., H] -> [..., V]
        """Score every word of the vocabulary for hidden states of any positions."""
        return self.head.logits(hidden, self.params, self.config, (), None)[0]


class RobertaForMaskedLM(_LanguageModel):
    """The encoder with the language-model head, which tells the word behind a ``<mask>``.

    >>> model = RobertaForMaskedLM.from_pretrained()
    >>> model([[0, 100, 200, 2]]).logits.shape
    (1, 4, 8192)
    """

    head = LanguageModelHead()

    def __post_init__(self, seed: int) -> None:
        super().__post_init__(seed)
        if self.config.is_decoder:
            warn(
                "is_decoder is True, so RobertaForMaskedLM looks only back: set it to False to "
                "look at both sides of a mask"
            )

    @documented(SHARED)
    def __call__(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        position_ids: Any = None,
        head_mask: Any = None,
        inputs_embeds: Any = None,
        encoder_hidden_states: Any = None,
        encoder_attention_mask: Any = None,
        labels: Any = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        *,
        read: Any = None,
        train: bool = False,
        rng: Any = None,
    ) -> MaskedLMOutput:
        """Score every word of the vocabulary at every position, and with labels the loss.

        Parameters
        ----------
        labels : integers of shape [B, S], optional
            The right word of each position in [0, V), or -100 where it does not count.

        Returns
        -------
        MaskedLMOutput
            Or with ``return_dict=False`` a tuple: the loss where there are labels, the logits, then
            what there is of the hidden states, the attentions and the cross-attentions.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        arguments = Arguments(
            *(input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds),
            *(encoder_hidden_states, encoder_attention_mask),
            read=read,
        )
        wanted = Wanted(output_attentions, output_hidden_states, return_dict)
        output: MaskedLMOutput = self._answer(
            arguments, wanted, random_generator(train, rng), labels
        )
        return output


class RobertaForCausalLM(_LanguageModel):
    """The decoder with the language-model head, which tells the word that comes next.

    It needs ``config.is_decoder``; with ``config.add_cross_attention`` it also looks at the text of
    an encoder.

    >>> from minirobert import RobertaConfig
    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=9, is_decoder=True)
    >>> output = RobertaForCausalLM(config)([[0, 5, 6, 7]])
    >>> output.logits.shape, output.past_key_values
    ((1, 4, 9), KeyValueCache(batch 1, 4 tokens, 1 layer))
    """

    head = CausalLanguageModelHead()

    def __post_init__(self, seed: int) -> None:
        super().__post_init__(seed)
        if not self.config.is_decoder:
            warn(
                "is_decoder is False, so RobertaForCausalLM looks ahead, at the words that it "
                "should tell: set it to True"
            )

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

    @documented(SHARED)
    def __call__(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        position_ids: Any = None,
        head_mask: Any = None,
        inputs_embeds: Any = None,
        encoder_hidden_states: Any = None,
        encoder_attention_mask: Any = None,
        labels: Any = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        *,
        cache_position: Any = None,
        read: Any = None,
        num_items_in_batch: int | None = None,
        train: bool = False,
        rng: Any = None,
    ) -> CausalLMOutputWithCrossAttentions:
        """Score every word of the vocabulary as the next, and with labels the loss.

        Parameters
        ----------
        labels : integers of shape [B, S], optional
            The words of the texts themselves in [0, V), or -100 where one does not count: the
            logits of each position are compared with the label of the next.
        num_items_in_batch : int, optional
            What to divide the sum of the losses by, in place of the number of counted labels: in
            training with gradients that are added up over several batches, that of them all.

        Returns
        -------
        CausalLMOutputWithCrossAttentions
            Or with ``return_dict=False`` a tuple: the loss where there are labels, the logits, then
            what there is of the cache, the hidden states, the attentions and the cross-attentions.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        arguments = Arguments(
            *(input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds),
            *(encoder_hidden_states, encoder_attention_mask, past_key_values),
            use_cache=self._use_cache(use_cache) and labels is None,
            cache_position=cache_position,
            read=read,
        )
        wanted = Wanted(output_attentions, output_hidden_states, return_dict)
        rng = random_generator(train, rng)
        output: CausalLMOutputWithCrossAttentions = self._answer(
            arguments, wanted, rng, labels, num_items_in_batch
        )
        return output

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
            The prompts, padded on the left. Without them, a text begins with ``bos_token_id``.
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

        >>> from minirobert import RobertaConfig
        >>> model = RobertaForCausalLM(RobertaConfig(vocab_size=9, is_decoder=True))
        >>> model.generate([[0, 5, 6]], max_new_tokens=2).shape
        (1, 5)
        """
        config = self._generation_config(generation_config, options)
        steering = Steering(
            logits_processor=logits_processor,
            stopping_criteria=stopping_criteria,
            prefix_allowed_tokens_fn=prefix_allowed_tokens_fn,
            tokenizer=tokenizer,
        )
        texts, n_new = self._texts(
            *(config, input_ids, attention_mask),
            *(encoder_hidden_states, encoder_attention_mask, inputs_embeds),
        )
        output: GenerateOutput = generation.generate(texts, config, n_new, rng, steering)
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
        inputs_embeds, tokenizer, encoder_hidden_states, encoder_attention_mask, rng : optional
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
        config = self._generation_config(generation_config, options)
        steering = Steering(
            logits_processor=logits_processor,
            stopping_criteria=stopping_criteria,
            prefix_allowed_tokens_fn=prefix_allowed_tokens_fn,
            tokenizer=tokenizer,
        )
        texts, n_new = self._texts(
            *(config, input_ids, attention_mask),
            *(encoder_hidden_states, encoder_attention_mask, inputs_embeds),
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

        >>> from minirobert import RobertaConfig
        >>> model = RobertaForCausalLM(RobertaConfig(vocab_size=9, is_decoder=True))
        >>> output = model.generate([[0, 5, 6]], max_new_tokens=2, output_scores=True)
        >>> model.compute_transition_scores(output.sequences, output.scores).shape
        (1, 2)
        """
        return generation.transition_scores(sequences, scores, beam_indices, normalize_logits)

    def _generation_config(
        self, config: GenerationConfig | None, options: dict[str, Any]
    ) -> GenerationConfig:
        return GenerationConfig.settled(self.generation_options(), config, options)

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
    ) -> Array:  # [B, S] -> [B, V]
        """Score the word behind the last token, which alone is read."""
        arguments = Arguments(
            input_ids,
            attention_mask,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            past_key_values=past_key_values,
        )
        inputs, _ = check_inputs(self.config, self.word_embeddings, arguments)
        inputs = inputs._replace(read=last_tokens(inputs.is_token))
        encoded = self._encode(inputs, Wanted(False, False))
        return self.lm_head(encoded.last_hidden_state[:, -1, :])


LanguageModel: TypeAlias = RobertaForMaskedLM | RobertaForCausalLM


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
