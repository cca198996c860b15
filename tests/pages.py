"""The README and the pages: their blocks of code, and what these find where they are run."""

import re
import shutil
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from minirobert import (
    TINY,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaTokenizer,
)

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "tutorials").glob("*.md"))]


@dataclass(frozen=True)
class Block:
    """A block of code, and the block of text behind it, if that is what it prints."""

    language: str
    code: str
    line: int
    prints: str | None


def blocks(text: str, language: str) -> list[Block]:
    """Find the blocks of a language, and what is shown of their output."""
    found = list(re.finditer(r"^```(\w*)\n(.*?)^```\n", text, re.MULTILINE | re.DOTALL))
    return [
        Block(
            language,
            one[2],
            text[: one.start()].count("\n") + 1,
            after[2] if after and after[1] == "text" and _joined(text, one, after) else None,
        )
        for one, after in zip_longest(found, found[1:])
        if one[1] == language
    ]


def _joined(text: str, one: re.Match, after: re.Match) -> bool:
    return not text[one.end() : after.start()].strip()


def without_numbers(text: str) -> str:
    """Leave out what differs from one machine to the other."""
    text = re.sub(r"budget\s+\([\w.]+\)", "budget", re.sub(r"\s+", " ", text))
    return re.sub(r"-?\d[\d,.]*(?:e[-+]\d+)?", "#", text).strip()


def commands(code: str) -> list[str]:
    """Give the commands of a block but for those that install something, or run the tests."""
    parts = [part.strip() for line in code.splitlines() for part in line.split("&&")]
    plain = [part.removeprefix(".venv/bin/") for part in parts]
    return [part for part in plain if not part.startswith(NOT_RUN)]


NOT_RUN = (
    *("python3 -m venv", "pip install", "jupyter notebook", "python -m pytest"),
    "python -m tutorials.build",  # tests/test_site.py
)


def prepare(directory: Path) -> None:
    """Write the files and models that the pages name."""
    files = {
        "lines.txt": "The cat is asleep.\nThe dog sleeps.\n",
        "masks.txt": "The sky is <mask>.\nno mask\nGrass is <mask>.\n",
        "texts.txt": "The sky is blue.\nso is the sea.\n",
        "corpus.txt": "The baker bakes bread, and the best bread is the oldest.\n" * 20,
        "article.txt": "Anna Smith lives in Rome. Her brother lives in Paris.",
    }
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    tokenizer = RobertaTokenizer.from_pretrained()
    with (directory / "ids.jsonl").open("w", encoding="utf-8") as lines:
        for text in files["texts.txt"].splitlines():
            lines.write(f"{tokenizer.encode(text)}\n")
    shutil.copytree(TINY, directory / "my-model")
    for name, (cls, options) in HEADS.items():
        model = cls.from_pretrained(**options)
        model.save_pretrained(directory / name)
        tokenizer.save_pretrained(directory / name)


def _labels(*names: str) -> dict:
    return {"id2label": dict(enumerate(names)), "label2id": {n: i for i, n in enumerate(names)}}


HEADS = {
    "my-classifier": (RobertaForSequenceClassification, _labels("negative", "positive")),
    "my-nli-model": (
        RobertaForSequenceClassification,
        _labels("contradiction", "neutral", "entailment"),
    ),
    "my-ner-model": (RobertaForTokenClassification, _labels("O", "B-PER", "I-PER")),
    "my-qa-model": (RobertaForQuestionAnswering, {}),
    "my-choice-model": (RobertaForMultipleChoice, {}),
    "my-decoder": (RobertaForCausalLM, {"is_decoder": True}),
    "my-port": (RobertaForMaskedLM, {}),
}
