"""What transformers documents for RoBERTa, walked through: classes, methods, parameters, examples.

Its page is made from its docstrings, which are read here from the installed package. Nothing that
they name may be missing, and their examples run with the imports changed and arrays for tensors.
"""

import inspect
import itertools
import re
import textwrap
from dataclasses import fields

import numpy as np
import pytest
import transformers

import minirobert
from tests.equivalence.texts import ROBERTA_BASE

MODELS = [
    "RobertaModel", "RobertaForCausalLM", "RobertaForMaskedLM", "RobertaForSequenceClassification",
    "RobertaForMultipleChoice", "RobertaForTokenClassification", "RobertaForQuestionAnswering",
]  # fmt: skip
TOKENIZERS = ["RobertaTokenizer", "RobertaTokenizerFast"]
METHODS = {
    "RobertaTokenizer": [
        "build_inputs_with_special_tokens", "get_special_tokens_mask",
        "create_token_type_ids_from_sequences", "save_vocabulary",
    ],
    "RobertaTokenizerFast": ["build_inputs_with_special_tokens"],
}  # fmt: skip
# What the page names beside the classes of RoBERTa.
OTHERS = [
    "pipeline", "AutoConfig", "AutoTokenizer", "AutoModel", "AutoModelForMaskedLM",
    "AutoModelForCausalLM", "AutoModelForSequenceClassification", "AutoModelForMultipleChoice",
    "AutoModelForTokenClassification", "AutoModelForQuestionAnswering",
]  # fmt: skip


def theirs(name):
    return getattr(transformers, name)


def documented(text):
    """Name the parameters that a docstring lists, each on a line of its own with its type."""
    return re.findall(r"^\s*(\w+) \(`[^\n]*\):?", text, flags=re.MULTILINE)


def parameters(function):
    """Name what a function takes, and say whether it takes any other keyword, too."""
    found = dict(inspect.signature(function).parameters)
    found.pop("self", None)
    kinds = {one.kind for one in found.values()}
    return set(found), inspect.Parameter.VAR_KEYWORD in kinds


@pytest.mark.parametrize("name", ["RobertaConfig", *TOKENIZERS, *MODELS, *OTHERS])
def test_every_class_can_be_imported(name):
    assert hasattr(transformers, name)
    assert name in minirobert.__all__
    assert getattr(minirobert, name).__doc__


@pytest.mark.parametrize("name", ["RobertaConfig", *TOKENIZERS])
def test_every_parameter_is_taken_and_has_the_same_default(name):
    ours = inspect.signature(getattr(minirobert, name)).parameters
    wanted = inspect.signature(theirs(name).__init__).parameters
    listed = documented(theirs(name).__doc__)
    assert len(listed) >= 9
    for parameter in {*listed, *wanted} - {"self", "kwargs"}:
        taken = parameter in ours or hasattr(minirobert.RobertaConfig(), parameter)
        assert taken, parameter
        default = wanted[parameter].default if parameter in wanted else inspect.Parameter.empty
        if parameter in ours and default is not inspect.Parameter.empty:
            assert ours[parameter].default == default, parameter


@pytest.mark.parametrize(
    ("name", "method"), [(name, method) for name in METHODS for method in METHODS[name]]
)
def test_every_method_of_a_tokenizer(name, method):
    ours, _ = parameters(getattr(getattr(minirobert, name), method))
    wanted, _ = parameters(getattr(theirs(name), method))
    assert wanted <= ours


@pytest.mark.parametrize("name", MODELS)
def test_every_argument_of_a_model(name):
    ours, _ = parameters(getattr(minirobert, name).__call__)
    wanted, _ = parameters(theirs(name).forward)
    text = theirs(name).forward.__doc__.partition("Returns:")[0]
    listed = documented(text)
    assert len(listed) >= 8
    assert {*wanted, *listed} - {"kwargs"} <= ours
    made, _ = parameters(getattr(minirobert, name))
    assert parameters(theirs(name).__init__)[0] <= made


@pytest.mark.parametrize("name", MODELS)
def test_every_field_of_an_output(name):
    text = theirs(name).forward.__doc__.partition("Returns:")[2]
    output = re.search(r"modeling_outputs\.(\w+)`", text)[1]
    listed = re.findall(r"- \*\*(\w+)\*\*", text)
    assert len(listed) >= 4
    assert {one.name for one in fields(getattr(minirobert, output))} >= set(listed)


@pytest.mark.parametrize("name", MODELS)
def test_what_every_model_can_do(name):
    """The page sends its readers to the base class for loading, saving, resizing and pruning."""
    for method in (
        "from_pretrained", "save_pretrained", "resize_token_embeddings", "prune_heads",
        "get_input_embeddings", "set_input_embeddings", "get_output_embeddings",
    ):  # fmt: skip
        assert callable(getattr(theirs(name), method))
        assert callable(getattr(getattr(minirobert, name), method))


# Each example of transformers, and what its tensors are here.
ARRAYS = {
    "from transformers import": "from minirobert import",
    "import torch": "",
    '"FacebookAI/roberta-base"': "MODEL",
    'return_tensors="pt"': 'return_tensors="np"',
    "with torch.no_grad():": "if True:",
    ".nonzero(as_tuple=True)": ".nonzero()",
    "torch.nn.functional.one_hot(": "one_hot(",
    "torch.tensor(": "np.asarray(",
    "torch.": "np.",
    "np.sigmoid(": "sigmoid(",
    ".unsqueeze(0)": "[None]",
    "dim=": "axis=",
    ".clone()": "",
    ".to(np.float)": ".astype(np.float32)",
}


def examples():
    for name in ["RobertaConfig", *TOKENIZERS, *MODELS]:
        cls = theirs(name)
        text = cls.forward.__doc__ if hasattr(cls, "forward") else cls.__doc__
        for i, block in enumerate(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)):
            yield pytest.param(block, id=f"{name}-{i}")


EXAMPLES = list(examples())


def statements(example):
    """Take the statements out of a session, without what it prints."""
    lines = textwrap.dedent(example).splitlines()
    code = [line[4:] for line in lines if line.startswith((">>> ", "... "))]
    return "\n".join(code)


@pytest.mark.filterwarnings("ignore:.*has no weights for:UserWarning")
@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_runs(example):
    code = statements(example)
    for there, here in ARRAYS.items():
        code = code.replace(there, here)
    assert "torch" not in code
    names = {
        "np": np,
        "MODEL": minirobert.TINY,
        "one_hot": lambda classes, num_classes: np.eye(num_classes)[classes],
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    }
    exec(code, names)  # the installed package's own documentation
    for loss in ("loss", "outputs"):
        value = getattr(names.get(loss), "loss", names.get(loss))
        if value is not None:
            assert np.isfinite(value)


def test_the_first_example_of_the_page():
    """It names its arguments, and a dtype; its model is on the hub, and here the bundled one."""
    fill = minirobert.pipeline(task="fill-mask", model=minirobert.TINY, dtype=np.float16, device=-1)
    text = "Plants create <mask> through a process known as photosynthesis."
    assert len(fill(text)) == 5
    assert fill.model.dtype == "float16"


def test_there_are_as_many_examples_as_on_the_page():
    assert len(EXAMPLES) == 10


def check_what_is_printed(name, example, directory):
    tokenizer = getattr(minirobert, name).from_pretrained(directory)
    lines = textwrap.dedent(example).splitlines()
    printed = [(a[4:], b) for a, b in itertools.pairwise(lines) if b.startswith("[")]
    assert len(printed) == 2
    for expression, expected in printed:
        assert repr(eval(expression, {"tokenizer": tokenizer})) == expected


if ROBERTA_BASE:

    @pytest.mark.parametrize("name", TOKENIZERS)
    def test_what_the_tokenizers_examples_print(name):
        """With the real vocabulary, which the examples load."""
        example = EXAMPLES[1 + TOKENIZERS.index(name)].values[0]
        check_what_is_printed(name, example, ROBERTA_BASE)
