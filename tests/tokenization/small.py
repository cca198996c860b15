"""A tokenizer that is small enough to know by heart."""

from minirobert.tokenization import RobertaTokenizer

LETTERS = ["a", "b", "c", "Ġ", "ab", "Ġa", "Ġab"]
VOCAB = {token: index for index, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *LETTERS])}
MERGES = [("a", "b"), ("Ġ", "a"), ("Ġ", "ab")]
MASK = len(VOCAB)


def small(**options):
    return RobertaTokenizer.from_vocab(VOCAB, MERGES, **options)
