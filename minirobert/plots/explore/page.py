"""From a model and a text to one file of HTML, which needs neither a server nor the network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from ...models.base import RobertaPreTrainedModel
from ...models.inputs import check_tokenizer
from ...rules import BOOLEAN, STRING, Rule, check, optional
from ...tokenization import RobertaTokenizer
from .contents import contents

__all__ = ["explore_page"]

_MODEL = Rule(lambda v: isinstance(v, RobertaPreTrainedModel), "a model of this package")
_TOKENIZER = Rule(lambda v: isinstance(v, RobertaTokenizer), "a tokenizer of this package")


def explore_page(
    model: RobertaPreTrainedModel,
    tokenizer: RobertaTokenizer,
    text: str,
    against: str | None = None,
    *,
    progress_bar: bool = False,
) -> str:
    """Make a page of HTML to explore what a model does with a text.

    It shows the tokens and how they came about, the attention of every head, and of a language
    model the words that each layer finds the best. One file holds all of it; it opens from disk.

    Parameters
    ----------
    model : RobertaPreTrainedModel
        A model without a language-model head has attention, and no words.
    tokenizer : RobertaTokenizer
    text : str
        With a ``<mask>``, the page begins with the words for it; that of a `RobertaForCausalLM`
        begins with the word that comes next.
    against : str, optional
        Another text, of as many tokens: the page also shows by how much the best word of ``text``
        gains there from each state of ``text``, see `minirobert.patch`. That takes a run of the
        model for each layer and token.
    progress_bar : bool
        Show on stderr how many layers are patched.

    Returns
    -------
    str
        To be written in UTF-8: ``Path("page.html").write_text(page, encoding="utf-8")``.

    Raises
    ------
    ValueError
        If a text has too many tokens, the two have not as many, or ``text`` asks for no word that
        patching could score; if the tokenizer has more tokens than the model, or the model
        computes NaN.
    TypeError
        If an argument is of another type.

    >>> import minirobert
    >>> model = minirobert.RobertaForMaskedLM.from_pretrained()
    >>> tokenizer = minirobert.RobertaTokenizer.from_pretrained()
    >>> explore_page(model, tokenizer, "The color of the sky is <mask>.")[:15]
    '<!doctype html>'
    """
    check("model", model, _MODEL, TypeError)
    check("tokenizer", tokenizer, _TOKENIZER, TypeError)
    check("text", text, STRING, TypeError)
    check("against", against, optional(STRING), TypeError)
    check("progress_bar", progress_bar, BOOLEAN, TypeError)
    check_tokenizer(tokenizer, model.config)
    found = contents(model, tokenizer, text, against, progress_bar)
    return _template().replace("DATA", _as_json(found), 1)


@cache
def _template() -> str:
    """Read the template, and permit its own style and script, and nothing else."""
    html = files(__package__).joinpath("template.html").read_text(encoding="utf-8")
    permitted = " ".join(
        f"{kind}-src 'sha256-{_digest(html, kind)}';" for kind in ("style", "script")
    )
    return html.replace("POLICY", permitted, 1)


def _digest(html: str, kind: str) -> str:
    """Compute what a browser compares: the SHA-256 of all between an element's tags."""
    (inside,) = re.findall(f"<{kind}>(.*?)</{kind}>", html, re.DOTALL)
    return base64.b64encode(hashlib.sha256(inside.encode("utf-8")).digest()).decode("ascii")


def _as_json(value: Any) -> str:
    """Write JSON that nothing ends early: neither a tag, nor a comment, nor a line end."""
    written = json.dumps(value, allow_nan=False, separators=(",", ":"))  # in ASCII
    for character in "<>&":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return written
