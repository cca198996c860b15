"""The examples of transformers' page on RoBERTa, with nothing but the imports changed.

Each runs twice, on the same files: with transformers, and with this package.
"""

import warnings
from textwrap import dedent

import numpy as np
import pytest
import torch
import transformers

import minirobert
from minirobert import TINY

NAME = "FacebookAI/roberta-base"
SIZES = {
    "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2, "intermediate_size": 7,
    "max_position_embeddings": 40, "type_vocab_size": 1, "initializer_range": 0.5,
}  # fmt: skip

#: A name, what it runs, and the variables that the two libraries must agree on.
EXAMPLES = {
    "new model": (
        "",
        """
        configuration = RobertaConfig(num_hidden_layers=1)
        model = RobertaModel(configuration)
        configuration = model.config
        size = configuration.hidden_size
        """,
        ["size"],
    ),
    "tokenizer": (
        "ForMaskedLM",
        """
        tokenizer = RobertaTokenizer.from_pretrained("FacebookAI/roberta-base")
        one = tokenizer("Hello world")["input_ids"]
        other = tokenizer(" Hello world")["input_ids"]
        """,
        ["one", "other"],
    ),
    "fast tokenizer": (
        "ForMaskedLM",
        """
        tokenizer = RobertaTokenizerFast.from_pretrained("FacebookAI/roberta-base")
        one = tokenizer("Hello world")["input_ids"]
        other = tokenizer(" Hello world")["input_ids"]
        """,
        ["one", "other"],
    ),
    "pipeline": (
        "ForMaskedLM",
        """
        pipeline = pipeline(
            task="fill-mask", model="FacebookAI/roberta-base", dtype=torch.float32, device=-1
        )
        answers = pipeline("Plants create <mask> through a process known as photosynthesis.")
        tokens = [answer["token"] for answer in answers]
        """,
        ["tokens"],
    ),
    "causal": (
        "ForMaskedLM",
        """
        tokenizer = AutoTokenizer.from_pretrained("FacebookAI/roberta-base")
        config = AutoConfig.from_pretrained("FacebookAI/roberta-base")
        config.is_decoder = True
        model = RobertaForCausalLM.from_pretrained("FacebookAI/roberta-base", config=config)
        inputs = tokenizer("Hello, my dog is cute", return_tensors="pt")
        outputs = model(**inputs)
        prediction_logits = outputs.logits
        """,
        ["prediction_logits"],
    ),
    "masked": (
        "ForMaskedLM",
        """
        tokenizer = AutoTokenizer.from_pretrained("FacebookAI/roberta-base")
        model = RobertaForMaskedLM.from_pretrained("FacebookAI/roberta-base")
        inputs = tokenizer("The capital of France is <mask>.", return_tensors="pt")
        with torch.no_grad():
            logits = model(**inputs).logits
        is_mask = inputs.input_ids == tokenizer.mask_token_id
        mask_token_index = is_mask[0].nonzero(as_tuple=True)[0]
        predicted_token_id = logits[0, mask_token_index].argmax(axis=-1)
        word = tokenizer.decode(predicted_token_id)
        labels = tokenizer("The capital of France is Paris.", return_tensors="pt")["input_ids"]
        labels = torch.where(inputs.input_ids == tokenizer.mask_token_id, labels, -100)
        outputs = model(**inputs, labels=labels)
        loss = round(outputs.loss.item(), 2)
        """,
        ["logits", "predicted_token_id", "word", "loss"],
    ),
    "classes": (
        "ForSequenceClassification",
        """
        tokenizer = AutoTokenizer.from_pretrained("FacebookAI/roberta-base")
        model = RobertaForSequenceClassification.from_pretrained("FacebookAI/roberta-base")
        inputs = tokenizer("Hello, my dog is cute", return_tensors="pt")
        with torch.no_grad():
            logits = model(**inputs).logits
        predicted_class_id = logits.argmax().item()
        predicted = model.config.id2label[predicted_class_id]
        num_labels = len(model.config.id2label)
        model = RobertaForSequenceClassification.from_pretrained(
            "FacebookAI/roberta-base", num_labels=num_labels
        )
        labels = torch.tensor([1])
        loss = model(**inputs, labels=labels).loss
        loss = round(loss.item(), 2)
        """,
        ["logits", "predicted", "loss"],
    ),
    "several classes": (
        "ForSequenceClassification",
        """
        tokenizer = AutoTokenizer.from_pretrained("FacebookAI/roberta-base")
        model = RobertaForSequenceClassification.from_pretrained(
            "FacebookAI/roberta-base", problem_type="multi_label_classification"
        )
        inputs = tokenizer("Hello, my dog is cute", return_tensors="pt")
        with torch.no_grad():
            logits = model(**inputs).logits
        likely = torch.sigmoid(logits).squeeze(dim=0) > 0.5
        predicted_class_ids = torch.arange(0, logits.shape[-1])[likely]
        num_labels = len(model.config.id2label)
        model = RobertaForSequenceClassification.from_pretrained(
            "FacebookAI/roberta-base",
            num_labels=num_labels,
            problem_type="multi_label_classification",
        )
        labels = torch.sum(
            torch.nn.functional.one_hot(
                predicted_class_ids[None, :].clone(), num_classes=num_labels
            ),
            dim=1,
        ).to(torch.float)
        loss = model(**inputs, labels=labels).loss
        """,
        ["logits", "predicted_class_ids", "loss"],
    ),
    "choices": (
        "ForMultipleChoice",
        """
        tokenizer = AutoTokenizer.from_pretrained("FacebookAI/roberta-base")
        model = RobertaForMultipleChoice.from_pretrained("FacebookAI/roberta-base")
        prompt = "In Italy, pizza is presented unsliced."
        choice0 = "It is eaten with a fork and a knife."
        choice1 = "It is eaten while held in the hand."
        labels = torch.tensor(0).unsqueeze(0)
        encoding = tokenizer(
            [prompt, prompt], [choice0, choice1], return_tensors="pt", padding=True
        )
        outputs = model(**{k: v.unsqueeze(0) for k, v in encoding.items()}, labels=labels)
        loss = outputs.loss
        logits = outputs.logits
        """,
        ["loss", "logits"],
    ),
    "tokens": (
        "ForTokenClassification",
        """
        tokenizer = AutoTokenizer.from_pretrained("FacebookAI/roberta-base")
        model = RobertaForTokenClassification.from_pretrained("FacebookAI/roberta-base")
        inputs = tokenizer(
            "HuggingFace is a company based in Paris and New York",
            add_special_tokens=False,
            return_tensors="pt",
        )
        with torch.no_grad():
            logits = model(**inputs).logits
        predicted_token_class_ids = logits.argmax(-1)
        predicted_tokens_classes = [
            model.config.id2label[t.item()] for t in predicted_token_class_ids[0]
        ]
        labels = predicted_token_class_ids
        loss = model(**inputs, labels=labels).loss
        loss = round(loss.item(), 2)
        """,
        ["logits", "predicted_tokens_classes", "loss"],
    ),
    "answers": (
        "ForQuestionAnswering",
        """
        tokenizer = AutoTokenizer.from_pretrained("FacebookAI/roberta-base")
        model = RobertaForQuestionAnswering.from_pretrained("FacebookAI/roberta-base")
        question, text = "Who was Jim Henson?", "Jim Henson was a nice puppet"
        inputs = tokenizer(question, text, return_tensors="pt")
        with torch.no_grad():
            outputs = model(**inputs)
        answer_start_index = outputs.start_logits.argmax()
        answer_end_index = outputs.end_logits.argmax()
        predict_answer_tokens = inputs.input_ids[0, answer_start_index : answer_end_index + 1]
        answer = tokenizer.decode(predict_answer_tokens, skip_special_tokens=True)
        target_start_index = torch.tensor([14])
        target_end_index = torch.tensor([15])
        outputs = model(
            **inputs, start_positions=target_start_index, end_positions=target_end_index
        )
        loss = outputs.loss
        loss = round(loss.item(), 2)
        """,
        ["answer", "loss"],
    ),
}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Make the directory that the examples' name means: a directory wins over the hub."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "warn", lambda *args, **options: None)

    def place(head):
        torch.manual_seed(0)
        tokenizer = transformers.RobertaTokenizerFast.from_pretrained(TINY)
        tokenizer.save_pretrained(NAME)
        sizes = {**SIZES, "vocab_size": len(tokenizer)}
        kind = getattr(transformers, f"Roberta{head}")
        kind(transformers.RobertaConfig(**sizes)).save_pretrained(NAME)

    return place


def run(example, library):
    """Run an example with the names of a library, as its import lines would bring them."""
    names = {name: getattr(library, name) for name in minirobert.__all__ if hasattr(library, name)}
    names = {**names, "torch": torch, "pipeline": library.pipeline}
    exec(dedent(example), names)
    return names


@pytest.mark.parametrize(("head", "example", "compared"), EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_gives_what_it_gives_there(hub, head, example, compared):
    if head:
        hub(head)
    theirs, ours = run(example, transformers), run(example, minirobert)
    for name in compared:
        expected, actual = theirs[name], ours[name]
        if isinstance(expected, torch.Tensor):
            expected = expected.detach().numpy()
            assert isinstance(actual, np.ndarray | torch.Tensor)
            np.testing.assert_allclose(np.asarray(actual), expected, rtol=1e-4, atol=1e-5)
        else:
            assert actual == expected, name
