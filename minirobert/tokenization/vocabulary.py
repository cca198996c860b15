"""The vocabulary: tokens to ids and back, those of vocab.json and those added to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .added_tokens import AddedToken


class Vocabulary:
    """Tokens and ids, both ways.

    Parameters
    ----------
    base : mapping of str to int
        The entries of vocab.json.
    declared : mapping of int to AddedToken
        Added tokens whose ids are fixed already.
    special : iterable of AddedToken
        Special tokens. Those without an id yet get the next free ones, in this order.

    Attributes
    ----------
    base : dict of str to int
        The entries of vocab.json, by rising id.
    ids : dict of str to int
        All tokens.
    tokens : dict of int to str
        The same from ids to tokens.
    added : dict of str to AddedToken
        The added tokens, special ones included, by their content.

    Examples
    --------
    >>> vocabulary = Vocabulary({"a": 0, "<s>": 1}, {}, [AddedToken("<s>"), AddedToken("<mask>")])
    >>> vocabulary.ids
    {'a': 0, '<s>': 1, '<mask>': 2}
    """

    def __init__(
        self,
        base: Mapping[str, int],
        declared: Mapping[int, AddedToken],
        special: Iterable[AddedToken],
    ) -> None:
        self.base = dict(sorted(base.items(), key=lambda entry: entry[1]))
        self.ids = dict(self.base)
        self.tokens = {index: token for token, index in self.ids.items()}
        self.added: dict[str, AddedToken] = {}
        for index, token in sorted(declared.items()):
            self._add(token, index)
        self._next_id = max(self.tokens, default=-1) + 1
        for token in special:
            self.add(token)

    def add(self, token: AddedToken) -> bool:
        """Make a string a token, or give a token that there is new flags.

        Parameters
        ----------
        token : AddedToken
            The token. It gets the next free id if the vocabulary lacks it.

        Returns
        -------
        bool
            Whether that changed anything.
        """
        if self.added.get(token.content) == token:
            return False
        index = self.ids.get(token.content, self._next_id)
        self._next_id = max(self._next_id, index + 1)
        self._add(token, index)
        return True

    def _add(self, token: AddedToken, index: int) -> None:
        if self.ids.setdefault(token.content, index) != index:
            raise ValueError(
                f"the added token {token.content!r} has the id {index}, but the vocabulary gives"
                f" it the id {self.ids[token.content]}: use the files of one tokenizer"
            )
        if self.tokens.setdefault(index, token.content) != token.content:
            raise ValueError(
                f"the added token {token.content!r} has the id {index}, which belongs to"
                f" {self.tokens[index]!r}: use the files of one tokenizer"
            )
        self.added[token.content] = token

    def __len__(self) -> int:
        return len(self.ids)

    def token(self, index: int) -> str:
        """Give the token of an id.

        Parameters
        ----------
        index : int
            The id.

        Returns
        -------
        str
            The token.

        Raises
        ------
        ValueError
            If no token has this id.
        """
        try:
            return self.tokens[index]
        except KeyError:
            raise ValueError(
                f"no token has the id {index!r}: the vocabulary has {len(self)} tokens, with ids"
                f" from {min(self.tokens)} to {max(self.tokens)}; leave out numbers that stand for"
                " no token, as -100 in labels, and use the tokenizer that the ids were made with"
            ) from None
