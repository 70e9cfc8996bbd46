"""Chat templates: the conversation as the text that the model was trained to read.

Templates come with the model's file and are not trusted: they run in Jinja's immutable sandbox, and
rendering is bounded in time and size. The text of messages is told apart from the template's own, so
that a person who types `<|im_end|>` does not end their turn.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from app.domain.errors import UserError
from app.domain.generation import Turn
from app.domain.language import _

MAX_CHARACTERS = 64_000_000
MAX_SECONDS = 5.0

PLAIN_STOP = ("\nUser:", "\nAssistant:")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the prompt: the template's own words, or the text of the turn numbered `turn`."""

    text: str
    turn: int | None = None


class Template:
    """One model's chat template.

    Attributes:
        is_plain: The model brought none that works: a plain dialogue is used instead.
        stop: Strings that end an answer beside the model's own end tokens.
    """

    def __init__(self, source: str | None, bos: str = "", eos: str = "") -> None:
        """Compile `source`, the `tokenizer.chat_template` of the file, if there is one.

        A template that cannot be compiled counts as none.
        """
        self._names = {"bos_token": bos, "eos_token": eos}
        self._compiled = _compile(source) if source else None
        self.is_plain = self._compiled is None
        self.stop = PLAIN_STOP if self.is_plain else ()

    def render(self, turns: Sequence[Turn]) -> list[Segment]:
        """Return the prompt for `turns`, up to where the model begins to answer.

        Raises:
            UserError: When the template refuses this conversation, or takes too long.
        """
        turns = merged(turns)
        if self._compiled is None:
            return _plain(turns)
        try:
            return _located(self._compiled, turns, self._names)
        except Refusal as refusal:
            if turns[0].role != "system":
                raise UserError(
                    _("The chat template of this model refuses this conversation: {reason}").format(
                        reason=refusal
                    )
                ) from None
        # Some templates know no system role; their models were trained with it in the first question.
        return _located(self._compiled, merged([Turn("user", turns[0].text), *turns[1:]]), self._names)


class Refusal(Exception):
    """A template would not render a conversation; the text says why, in the template's words."""


def merged(turns: Sequence[Turn]) -> list[Turn]:
    """Return `turns` without empty ones and with neighbours of the same role made one.

    An answer that failed before its first word, or a question asked twice, would otherwise break the
    alternation that many templates insist on.
    """
    kept: list[Turn] = []
    for turn in turns:
        if not turn.text.strip():
            continue
        if kept and kept[-1].role == turn.role:
            kept[-1] = Turn(turn.role, f"{kept[-1].text}\n\n{turn.text}")
        else:
            kept.append(turn)
    return kept


def _plain(turns: Sequence[Turn]) -> list[Segment]:
    """A dialogue that a model without a template can carry on."""
    segments: list[Segment] = []
    for number, turn in enumerate(turns):
        name = {"user": "User: ", "assistant": "Assistant: "}.get(turn.role, "")
        segments += [Segment(name), Segment(turn.text.strip(), number), Segment("\n")]
    segments.append(Segment("Assistant:"))
    return [segment for segment in segments if segment.text]


def _located(template: Any, turns: list[Turn], names: dict[str, str]) -> list[Segment]:
    """Render twice, with marks and with the words themselves, and see where the words came to lie.

    Most templates put each text in whole, some trimmed. Where a template does more (cuts out
    reasoning, say), the words cannot be located with certainty, and the marked rendering, with the
    words filled in whole, is what the model reads.
    """
    marks = [f"\ue000{number}\ue001" for number in range(len(turns))]
    marked = _run(template, [Turn(turn.role, mark) for turn, mark in zip(turns, marks, strict=True)], names)
    actual = _run(template, turns, names)
    frame: list[Segment] = []
    at = 0
    for number, mark in enumerate(marks):
        found = marked.find(mark, at)
        if found < 0:
            continue  # the template leaves this turn out
        frame += [Segment(marked[at:found]), Segment("", number)]
        at = found + len(mark)
    frame.append(Segment(marked[at:]))
    whole = _filled(frame, [turn.text for turn in turns])
    trimmed = _filled(frame, [turn.text.strip() for turn in turns])
    located = trimmed if "".join(segment.text for segment in trimmed) == actual else whole
    return [segment for segment in located if segment.text]


def _filled(frame: list[Segment], words: list[str]) -> list[Segment]:
    return [s if s.turn is None else Segment(words[s.turn], s.turn) for s in frame]


def _run(template: Any, turns: list[Turn], names: dict[str, str]) -> str:
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    deadline = time.monotonic() + MAX_SECONDS
    parts: list[str] = []
    size = 0
    try:
        for part in template.generate(
            messages=messages, add_generation_prompt=True, tools=None, documents=None, **names
        ):
            parts.append(part)
            size += len(part)
            if size > MAX_CHARACTERS or time.monotonic() > deadline:
                break
        else:
            return "".join(parts)
    except Refusal:
        raise
    except Exception as error:  # a template may fail in any way that Python knows
        raise Refusal(str(error)) from error
    raise UserError(_("The chat template of this model takes too long."))


def _compile(source: str) -> Any:
    from jinja2 import TemplateError
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    try:
        return environment.from_string(source)
    except (TemplateError, RecursionError):
        return None


def _refuse(reason: object) -> NoReturn:
    raise Refusal(str(reason))


def _to_json(value: Any, indent: int | None = None, ensure_ascii: bool = False, **_options: Any) -> str:
    # Jinja's own filter escapes for HTML, which models were not trained on.
    return json.dumps(value, indent=indent, ensure_ascii=ensure_ascii)
