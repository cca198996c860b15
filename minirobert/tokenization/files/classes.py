"""The tokenizers of transformers that are byte-level BPE: what tells their classes apart.

Each class has special tokens for when no file names any, and columns that a call returns. All
else stands in tokenizer.json, whichever class wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..added_tokens import AddedToken
from ..special_tokens import special_token

__all__ = ["ROBERTA", "TokenizerClass", "class_of", "tokenizer_class_of"]

ROBERTA = "RobertaTokenizer"


class TokenizerClass(NamedTuple):
    """What a class of tokenizers has where its files say nothing."""

    #: The special tokens that it has; it has none of the other roles.
    special_tokens: Mapping[str, str]
    #: Whether a mask that is given without flags takes the white space on its left along.
    strips_mask: bool = False
    #: Whether vocab.json and merges.txt say all, so that it needs no tokenizer.json.
    reads_vocab: bool = False
    settings: Mapping[str, Any] = {}
    #: Whether this is a class known here.
    is_known: bool = True

    def flagged(self, name: str, content: str) -> AddedToken:
        """Give a special token the flags that it has where no file tells them."""
        if name == "mask_token" and self.strips_mask:
            return special_token(name, content)
        return AddedToken(content, special=True)


_OF_ROBERTA = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "mask_token": "<mask>",
}
_OF_BERT = {
    "bos_token": "[CLS]",
    "eos_token": "[SEP]",
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
_OF_GPT2 = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
_OF_QWEN2 = dict.fromkeys(("eos_token", "unk_token", "pad_token"), "<|endoftext|>")
_ALL_COLUMNS = {"model_input_names": ("input_ids", "token_type_ids", "attention_mask")}

_LIKE_ROBERTA = TokenizerClass(_OF_ROBERTA, strips_mask=True, reads_vocab=True)
_LIKE_GPT2 = TokenizerClass(_OF_GPT2)
# The class of whatever `tokenizers` has made: there are only the special tokens that files name.
_ANY = TokenizerClass({}, settings=_ALL_COLUMNS)

# Without the "Fast" that the names of some end in.
_CLASSES = {
    ROBERTA: _LIKE_ROBERTA,
    "BartTokenizer": _LIKE_ROBERTA,
    "BlenderbotTokenizer": _LIKE_ROBERTA,
    "LEDTokenizer": _LIKE_ROBERTA,
    "LongformerTokenizer": _LIKE_ROBERTA,
    "MvpTokenizer": _LIKE_ROBERTA,
    "GPT2Tokenizer": _LIKE_GPT2._replace(reads_vocab=True, settings={"trim_offsets": False}),
    "CodeGenTokenizer": _LIKE_GPT2,
    "WhisperTokenizer": _LIKE_GPT2,
    "Qwen2Tokenizer": TokenizerClass(_OF_QWEN2),
    "DebertaTokenizer": TokenizerClass(_OF_BERT, settings=_ALL_COLUMNS),
    "PreTrainedTokenizer": _ANY,
    "TokenizersBackend": _ANY,
}

# The class of each type of model.
_OF_MODELS = {
    **dict.fromkeys(("roberta", "roberta-prelayernorm", "data2vec-text", "ibert", "mra"), ROBERTA),
    "bart": "BartTokenizer",
    "blenderbot": "BlenderbotTokenizer",
    "led": "LEDTokenizer",
    "longformer": "LongformerTokenizer",
    "mvp": "MvpTokenizer",
    **dict.fromkeys(("gpt2", "gpt_neo", "gptj", "opt"), "GPT2Tokenizer"),
    **dict.fromkeys(("codegen", "phi"), "CodeGenTokenizer"),
    "whisper": "WhisperTokenizer",
    **dict.fromkeys(("qwen2", "qwen3"), "Qwen2Tokenizer"),
    "deberta": "DebertaTokenizer",
}


def tokenizer_class_of(model_type: str) -> str:
    """Name the class of a type of model, as config.json has it.

    >>> tokenizer_class_of("longformer"), tokenizer_class_of("modernbert")
    ('LongformerTokenizer', 'PreTrainedTokenizerFast')
    """
    return _OF_MODELS.get(model_type, "PreTrainedTokenizerFast")


def class_of(name: str) -> TokenizerClass:
    """Look a class up; one that is not known here has the special tokens that files name.

    >>> class_of("BartTokenizerFast").special_tokens["mask_token"]
    '<mask>'
    >>> class_of("BertTokenizer").is_known
    False
    """
    return _CLASSES.get(name.removesuffix("Fast"), _ANY._replace(is_known=False))
