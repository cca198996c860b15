"""RoBERTa's tokenizer: byte-level BPE, special tokens, batches."""

from .added_tokens import AddedToken
from .batch_encoding import BatchEncoding
from .tokenizer import RobertaTokenizer, RobertaTokenizerFast

__all__ = ["AddedToken", "BatchEncoding", "RobertaTokenizer", "RobertaTokenizerFast"]
