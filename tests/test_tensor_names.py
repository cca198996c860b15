"""Names in groups: nothing is lost, and no star stands for what was not named."""

import re

from hypothesis import given
from hypothesis import strategies as st

from minirobert import RobertaConfig
from minirobert.parameters import parameter_shapes
from minirobert.tensor_names import group_names

SHAPES = parameter_shapes(RobertaConfig(num_hidden_layers=13), "RobertaForMaskedLM")
NAMES = list(SHAPES)


def numbers(ranges):
    for part in ranges.split(","):
        first, _, last = part.partition("…")
        yield from range(int(first), int(last or first) + 1)


def named(line):
    """List the names that a line stands for."""
    pattern, _, rest = line.partition(" ")
    before, braces, after = (*re.split(r"\{(.*)\}", pattern), None, "")[:3]
    found = [f"{before}{n}{after}" for n in numbers(braces)] if braces else [pattern]
    names = [
        name
        for one in found
        for name in NAMES
        if name == one or (one.endswith(".*") and name.startswith(one[:-1]))
    ]
    count = re.search(r"\((\d+) tensors\)", rest)
    assert len(names) == (int(count[1]) if count else 1), line
    return names


@given(
    st.lists(st.sampled_from(["query", "bias", ".3.", ".1", "encoder", "lm_head", "output", "e"])),
    st.booleans(),
)
def test_the_lines_name_each_tensor_once(parts, stars):
    chosen = [name for name in NAMES if any(part in name for part in parts)]
    lines = group_names({name: str(SHAPES[name]) for name in chosen}, NAMES, stars=stars)
    assert sorted(name for line in lines for name in named(line)) == sorted(chosen)


def test_a_whole_model_is_a_line_a_part():
    assert group_names(dict.fromkeys(NAMES, ""), NAMES) == [
        "roberta.* (213 tensors)",
        "lm_head.* (5 tensors)",
    ]
