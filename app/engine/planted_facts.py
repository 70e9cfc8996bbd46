"""Facts planted in a text, to see whether a model finds them again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.generation import Turn
from app.domain.long_reading import Fact
from app.engine.model import LoadedModel
from app.engine.prefix import common_length
from app.engine.template import Segment

DEPTHS = (0.1, 0.3, 0.5, 0.7, 0.9)
ANSWER, THOUGHTS = 24, 512
"""Tokens in which a model answers, and in which one may that thinks first and cannot be told not to."""

# Not translated: the text is English, and a fact in another language would stand out.
_NAMES = ("blue", "green", "white", "black", "yellow")
_CODES = ("48213", "70952", "31846", "95307", "62479")
_FACT = "The code of the {name} gate is {code}."
_ASK = "\n\nWhat is the code of the {name} gate?"
_BEGUN = "\n\nThe code of the {name} gate is"
_FRAME = 160  # tokens for the facts, and for what stands around the text
_SENTENCE = re.compile(r"(?<=[.!?])\s")
_SWITCH = "enable_thinking"


@dataclass(frozen=True, slots=True)
class Questions:
    """One text with all facts in it, and a question for each.

    Attributes:
        prompts: The tokens of text and question, for each fact; they share their beginning.
        shared: How many tokens they share.
        answer: The most tokens of an answer.
        thinks: Numbers may come before the answer.
    """

    prompts: tuple[list[int], ...]
    shared: int
    answer: int
    thinks: bool


def ask(model: LoadedModel, tokens: Sequence[int], size: int) -> Questions:
    """Return the facts planted in a text, and the questions after it.

    A model with a chat template is asked through it. Without one it is a base model, and goes on with a
    sentence instead.

    Args:
        model: What will be asked.
        tokens: Of the text.
        size: Tokens that there is room for, the answer included.
    """
    template = model.template
    thinks = template.reasoning is not None and _SWITCH not in template.variables
    answer = min(THOUGHTS if thinks else ANSWER, size // 8)
    length = max(0, size - answer - _FRAME)
    while True:
        text = _planted(_spelled(model, tokens[:length]))
        prompts = tuple(_prompt(model, text, name) for name in _NAMES)
        over = max(map(len, prompts)) + answer - size
        if over <= 0 or not length:
            break
        length = max(0, length - over - 8)
    shared = min(common_length(prompts[0], other) for other in prompts[1:])
    return Questions(prompts, shared, answer, thinks)


def is_answered(model: LoadedModel, written: Sequence[int]) -> bool:
    """Return whether a number has come to its end: nothing that follows matters."""
    return re.search(rb"\d[^\d,]", b"".join(map(model.piece, written))) is not None


def judged(model: LoadedModel, number: int, written: Sequence[int]) -> Fact:
    """Return what came of the question with this number; it must hold that code alone."""
    said = b"".join(map(model.visible_piece, written)).decode("utf-8", "replace").strip()
    markers = model.template.reasoning
    for end in markers.end if markers else ():
        said = said.rpartition(end)[2].strip()
    numbers = re.findall(r"\d+", said.partition("\n")[0].replace(",", ""))
    return Fact(DEPTHS[number], _CODES[number], said[:200], numbers == [_CODES[number]])


def _planted(text: str) -> str:
    """Return `text` with each fact as a sentence of its own, at its depth."""
    ends = [match.start() for match in _SENTENCE.finditer(text)] or [len(text)]
    for depth, name, code in reversed(list(zip(DEPTHS, _NAMES, _CODES, strict=True))):
        at = min(ends, key=lambda end: abs(end - depth * len(text)))
        text = f"{text[:at]} {_FACT.format(name=name, code=code)}{text[at:]}"
    return text


def _spelled(model: LoadedModel, tokens: Sequence[int]) -> str:
    text = b"".join(map(model.piece, tokens)).decode("utf-8", "ignore")
    return text[: max((match.start() for match in _SENTENCE.finditer(text)), default=len(text))]


def _prompt(model: LoadedModel, text: str, name: str) -> list[int]:
    template = model.template
    if template.is_plain:
        return model.prompt([Segment(text + _BEGUN.format(name=name), 0)], lambda _text: None)
    turn = Turn("user", text + _ASK.format(name=name))
    variables = {_SWITCH: False} if _SWITCH in template.variables else {}
    return model.prompt(template.render([turn], variables), lambda _text: None)
