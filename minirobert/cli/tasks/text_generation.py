"""``minirobert text-generation``: how a text goes on."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

from ..options import count, real, seed, switch, words
from ..task_command import TaskCommand, answer_all

__all__ = ["TEXT_GENERATION"]


def _generate(pipe: Any, inputs: Iterable[Any], arguments: argparse.Namespace) -> Iterator[Any]:
    """Give texts as they come, part by part, where they are for people and come one by one."""
    several = (arguments.batch_size, arguments.num_beams or 1, arguments.num_return_sequences or 1)
    if arguments.json or arguments.out is not None or several != (1, 1, 1):
        return answer_all(pipe, inputs, arguments)
    return (pipe.stream(prompt) for prompt in inputs)


def _show_generation(line: str, found: Any) -> None:
    if isinstance(found, list):
        for one in found:
            print(one["generated_text"])
        return
    print(line, end="", flush=True)
    for part in found:
        print(part, end="", flush=True)
    print()


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options of drawing where nothing is drawn, and more texts than are found."""
    nothing_drawn = "--greedy" if arguments.do_sample is False else "--num-beams"
    if arguments.do_sample is False or (arguments.num_beams or 1) > 1:
        for option in ("temperature", "top_k", "top_p", "min_p", "rng"):
            if getattr(arguments, option) is not None:
                flag = "seed" if option == "rng" else option.replace("_", "-")
                raise ValueError(
                    f"--{flag} says nothing with {nothing_drawn}, which draws no words: leave out "
                    "one of them"
                )
    wanted, beams = arguments.num_return_sequences or 1, arguments.num_beams or 1
    if wanted > beams and (beams > 1 or arguments.do_sample is False):
        found = "one likeliest text" if beams == 1 else f"a choice of {beams} beams"
        cure = "leave out --greedy, or give" if beams == 1 else "give"
        raise ValueError(
            f"--num-return-sequences is {wanted}, but there is only {found}: {cure} --num-beams "
            f"{wanted}"
        )


TEXT_GENERATION = TaskCommand(
    task="text-generation",
    purpose="Continue a text, by words that are drawn one after the other.",
    examples=(
        'text-generation "The sky is" --model DIR --max-new-tokens 20 --seed 1',
        'text-generation "The sky is" --model DIR --greedy',
        "text-generation --model DIR --num-beams 4 --json < lines.txt",
    ),
    options=(
        count(
            "--max-new-tokens",
            "end after so many (default: 256, or as many as the model has room for)",
        ),
        switch(
            "--greedy",
            "take the likeliest word each time, in place of drawing one",
            const=False,
            dest="do_sample",
        ),
        real("--temperature", "below 1, likely words are drawn more often (default: 0.7)"),
        count("--top-k", "draw from the N likeliest words (default: 50)"),
        real(
            "--top-p",
            "draw from the likeliest words that have the probability P together (default: 1)",
            "P",
        ),
        real(
            "--min-p",
            "draw from the words at least P times as probable as the likeliest (default: all)",
            "P",
        ),
        words("--stop-strings", "TEXT", "end a text with the first of these that it comes to"),
        count("--num-beams", "search for the likeliest text with N beams"),
        count("--num-return-sequences", "give N continuations of each text"),
        real(
            "--repetition-penalty",
            "above 1, words that the text has are drawn less often (default: 1)",
        ),
        count("--seed", "draw the same words each time the command is run", type=seed, dest="rng"),
    ),
    check=_check,
    show=_show_generation,
    columns=lambda pipe: {"generated_text": str},
    truncation=None,  # it would cut off the end, which is to be continued
    answer=_generate,
)
