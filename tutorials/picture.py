"""The picture of the README: ``python -m tutorials.picture`` draws it anew, with the package.

Above what each layer would say at each token, below where it helps *blue* to put *sky* in the place
of *grass*.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minirobert import RobertaForMaskedLM, RobertaTokenizer, logit_lens, patch, plots
from minirobert.plots.canvas import new_figure

__all__ = ["PICTURE", "draw"]

PICTURE = Path(__file__).parent / "pictures" / "the_color_of_the_sky.png"


def draw() -> Any:
    """Draw both halves on a figure of matplotlib."""
    tokenizer, model = RobertaTokenizer.from_pretrained(), RobertaForMaskedLM.from_pretrained()
    sky, grass = (
        tokenizer(f"The color of the {thing} is <mask>.", return_tensors="np")
        for thing in ("sky", "grass")
    )
    tokens = tokenizer.convert_ids_to_tokens(sky.input_ids[0])
    layers = [f"roberta.encoder.layer.{i}.output.LayerNorm" for i in range(4)]
    blue = tokenizer.convert_tokens_to_ids("Ġblue")
    moved = patch(
        model, sky, grass, ["roberta.embeddings", *layers], word=blue, position=-3
    )  # [names, S]

    figure = new_figure(9, 5.2)
    above, below = figure.subplots(2, 1)
    plots.logit_lens(logit_lens(model, sky)[:, 0], tokenizer.decode, tokens, ax=above)
    both = ["Ġsky/grass" if token == "Ġsky" else token for token in tokens]
    plots.patching(moved, ["embeddings", *(f"layer.{i}" for i in range(4))], both, ax=below)
    above.set_title("what each layer would say")
    below.set_title("where “sky” makes “blue” likelier")
    return figure


if __name__ == "__main__":
    draw().savefig(PICTURE, dpi=110)
