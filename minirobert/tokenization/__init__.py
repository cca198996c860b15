"""RoBERTa's tokenizer: byte-level BPE, its training, special tokens, batches."""

from .added_tokens import AddedToken
from .rows.batch_encoding import BatchEncoding
from .tokenizer import RobertaTokenizer, RobertaTokenizerFast
from .trainer import train_bpe

__all__ = ["AddedToken", "BatchEncoding", "RobertaTokenizer", "RobertaTokenizerFast", "train_bpe"]
