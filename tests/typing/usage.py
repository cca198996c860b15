"""What a program with types may write, and what a type checker must find wrong in it.

Nothing here is run: mypy and pyright read it, in tests/test_typing.py. A mistake on purpose has a
comment that its error is expected; where no error is found, the comment itself is one.
"""

from collections.abc import Iterator
from typing import Any, assert_type, cast

import numpy as np

import minirobert
from minirobert import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaModel,
    RobertaTokenizer,
)
from minirobert.pipelines import (
    Answer,
    Choice,
    Classification,
    EntityGroup,
    FeatureExtractionPipeline,
    Filling,
    FillMaskPipeline,
    Generation,
    MultipleChoicePipeline,
    Pipeline,
    QuestionAnsweringPipeline,
    Ranking,
    ScorePipeline,
    TextClassificationPipeline,
    TextGenerationPipeline,
    TextScore,
    TokenClassificationPipeline,
    TokenScore,
    ZeroShotClassificationPipeline,
    pipeline,
)

# Classes

assert_type(pipeline("fill-mask"), FillMaskPipeline)
assert_type(minirobert.pipeline("feature-extraction"), FeatureExtractionPipeline)
assert_type(pipeline("text-classification", "dir"), TextClassificationPipeline)
assert_type(pipeline("sentiment-analysis", model="dir"), TextClassificationPipeline)
assert_type(pipeline("ner", "dir", aggregation_strategy="first"), TokenClassificationPipeline)
assert_type(pipeline("token-classification", "dir"), TokenClassificationPipeline)
assert_type(pipeline("question-answering", "dir"), QuestionAnsweringPipeline)
assert_type(pipeline("zero-shot-classification", "dir"), ZeroShotClassificationPipeline)
assert_type(pipeline("multiple-choice", "dir"), MultipleChoicePipeline)
assert_type(pipeline("text-generation", "dir"), TextGenerationPipeline)
assert_type(pipeline("score", threads=1), ScorePipeline)
assert_type(pipeline(), Any)

assert_type(AutoModel.from_pretrained(), RobertaModel)
assert_type(AutoModelForMaskedLM.from_pretrained("dir"), RobertaForMaskedLM)
assert_type(
    AutoModelForSequenceClassification.from_config(RobertaConfig()),
    RobertaForSequenceClassification,
)
assert_type(RobertaForMaskedLM.from_pretrained(dtype="float64"), RobertaForMaskedLM)
assert_type(AutoTokenizer.from_pretrained(), RobertaTokenizer)
assert_type(RobertaTokenizer.from_pretrained(), RobertaTokenizer)
assert_type(pipeline("fill-mask").model, RobertaForMaskedLM)

# Results: of one text, of a list, and of a stream

TEXTS = ["A cat.", "A dog."]

score = pipeline("score")
assert_type(score("A cat."), TextScore)
assert_type(score("A cat.")["perplexity"], float)
assert_type(score("A cat.")["tokens"], list[TokenScore])
assert_type(score(TEXTS, batch_size=2), list[TextScore])
assert_type(score(("A cat.", "A dog.")), list[TextScore])
assert_type(score(text for text in TEXTS), Iterator[TextScore])
assert_type(score(np.array(TEXTS)), Any)

zero_shot = pipeline("zero-shot-classification", "dir")
assert_type(zero_shot("A cat.", ["animals", "plants"]), Ranking)
assert_type(zero_shot(TEXTS, candidate_labels=["animals"], multi_label=True), list[Ranking])
assert_type(zero_shot("A cat.")["labels"][0], str)

choose = pipeline("multiple-choice", "dir")
assert_type(choose({"question": "Who?", "choices": ["Anna", "Bob"]}), list[Choice])
assert_type(choose([{"question": "Who?", "choices": ["Anna"]}])[0][0]["index"], int)

fill = pipeline("fill-mask")
for filling in fill("The sky is <mask>.", top_k=3):
    print(filling["token_str"])
assert_type(fill("The sky is <mask>."), list[Filling])
assert_type(fill(["The <mask>.", "A <mask>."]), list[list[Filling]])
several = cast(Any, fill("<mask> <mask>"))  # a list for each mask, which depends on the text
masks: list[list[Filling]] = several

classify = pipeline("text-classification", "dir")
assert_type(classify("A cat."), list[Classification])
assert_type(classify("A cat.", top_k=None), list[Classification])
assert_type(classify(TEXTS), list[Classification])
assert_type(classify(TEXTS, top_k=2), list[list[Classification]])
assert_type(classify({"text": "A", "text_pair": "B"}), Classification)
assert_type(classify({"text": "A"}, top_k=2), list[Classification])
assert_type(classify(["A cat."])[0]["label"], str)

ask = pipeline("question-answering", "dir")
assert_type(ask(question="Who?", context="Anna."), Answer)
assert_type(ask("Who?", "Anna.")["start"], int)
assert_type(ask({"question": "Who?", "context": "Anna."}), Answer)
assert_type(ask([{"question": "Who?", "context": "Anna."}]), list[Answer])
answers: list[Answer] = ask("Who?", "Anna and Bob.", top_k=2)

tag = pipeline("ner", "dir", aggregation_strategy="simple")
names: list[EntityGroup] = tag("Anna lives in Rome.")
print([name["entity_group"] for name in names])

generate = pipeline("text-generation", "dir", max_new_tokens=5)
assert_type(generate("The sky", do_sample=False), list[Generation])
assert_type(generate(TEXTS)[0][0]["generated_text"], str)
assert_type(generate.stream("The sky"), Iterator[str])

embed = pipeline("feature-extraction", pooling="mean", return_tensors=True)
one: np.ndarray[Any, Any] = embed("A cat.")
matrix = np.stack(embed(TEXTS, normalize=True))


def service(pipe: Pipeline[RobertaForMaskedLM]) -> str:
    """Name what a pipeline computes with."""
    return f"{pipe.device} {pipe.dtype}"


service(fill)

# Mistakes

score(5)  # type: ignore[call-overload]
score("A cat.", batch_sise=2)  # type: ignore[call-overload]
score("A cat.", batch_size="2")  # type: ignore[call-overload]
fill("The <mask>.", top_k="3")  # type: ignore[call-overload]
print(score("A cat.")["perplexty"])  # type: ignore[misc]
print(zero_shot("A cat.")["label"])  # type: ignore[misc]
choose({"question": "Who?", "choices": ["Anna"]})[0]["index"].upper()  # type: ignore[attr-defined]
number: int = score("A cat.")  # type: ignore[assignment]
score(TEXTS)["score"]  # type: ignore[call-overload]
print(fill("The <mask>.")[0]["tokn"])  # type: ignore[misc]
print(classify(TEXTS)[0]["lable"])  # type: ignore[typeddict-item]
wrong: RobertaModel = AutoModelForMaskedLM.from_pretrained()  # type: ignore[assignment]
service(embed)  # type: ignore[arg-type]
print(pipeline("fill-mask").no_such_thing)  # type: ignore[attr-defined]
print(ask("Who?", "Anna.")["text"])  # type: ignore[typeddict-item]
