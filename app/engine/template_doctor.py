"""Finds out what a chat template can do, by rendering test conversations with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from app.domain.errors import UserError
from app.domain.generation import Turn
from app.domain.language import _
from app.domain.model import Thinking
from app.engine.template import FRAME, PROBE_SECONDS, Template

# The switches that are in use, with what turns reasoning on and off.
_SWITCHES: Mapping[str, tuple[Any, Any]] = {
    "enable_thinking": (True, False),
    "thinking": (True, False),
    "thinking_mode": ("thinking", "chat"),
    "reasoning_effort": ("high", "low"),
    "reasoning_strength": ("high", "low"),
    "thinking_budget": (-1, 0),
}

_HI = Turn("user", "Zq1")
_HELLO = Turn("assistant", "Zq2")
_BYE = Turn("user", "Zq3")
_STRANGE = "Zürich 火 🔥 مرحبا <b>&amp;"


@dataclass(frozen=True, slots=True)
class Report:
    """What a chat template can do.

    Attributes:
        plain: There is none that works, and a plain dialogue stands in for it.
        problem: Why it does not work, in the words of Jinja or of the template; empty without one.
        usable: It renders a single question.
        takes_system: A system message reaches the model in its place.
        takes_two_questions: Two questions in a row may stand without an answer between them.
        takes_answer_first: A conversation may begin with an answer.
        keeps_text: Any text arrives as it was written.
        keeps_answers: What the engine has read when an answer ends is how the next prompt begins, so that
            nothing is read anew.
        reasoning: The model's reasoning is told apart from its answer.
        reasoning_switch: The variable that turns it on and off, or up and down; empty without one.
        reasoning_unless_off: The prompt is another one when it is turned off.
        reasoning_by_default: The model begins in its reasoning when nothing else is said.
        keeps_reasoning: Earlier reasoning is read again.
        variables: The names that the template reads beside its frame and its own, sorted.
    """

    plain: bool
    problem: str = ""
    usable: bool = True
    takes_system: bool = True
    takes_two_questions: bool = True
    takes_answer_first: bool = True
    keeps_text: bool = True
    keeps_answers: bool = True
    reasoning: bool = False
    reasoning_switch: str = ""
    reasoning_unless_off: bool = False
    reasoning_by_default: bool = False
    keeps_reasoning: bool = False
    variables: tuple[str, ...] = ()

    @property
    def thinking(self) -> Thinking | None:
        """Return the switch with its values; None without one."""
        name = self.reasoning_switch
        return Thinking(name, *_SWITCHES[name], self.reasoning_unless_off) if name else None

    def lines(self) -> list[str]:
        """Return what a person should know, as sentences; none when the template takes everything."""
        if self.plain:
            return [self._no_template(), _("Fireside writes the conversation as a plain dialogue instead.")]
        if not self.usable:
            return [_("The chat template of this model does not work: {reason}").format(reason=self.problem)]
        told = (
            (not self.takes_system, _(
                "This model does not support a system prompt; yours is put before your first question."
            )),
            (not self.takes_two_questions, _(
                "This model needs questions and answers in turn; "
                "several questions or answers in a row are joined into one."
            )),
            (not self.takes_answer_first, _(
                "A conversation with this model must begin with a question; "
                "if an answer comes first, an empty question is put before it."
            )),
            (not self.keeps_text, _(
                "The chat template of this model changes some of what you write before the model reads it."
            )),
            (not self.keeps_answers, _(
                "The chat template of this model rewrites each answer once it is finished, "
                "so the model reads the answer again in the next turn."
            )),
        )  # fmt: skip
        return [sentence for applies, sentence in told if applies] + self._on_reasoning()

    def _no_template(self) -> str:
        if self.problem:
            return _("The chat template of this model cannot be used: {reason}").format(reason=self.problem)
        return _("This model has no chat template.")

    def _on_reasoning(self) -> list[str]:
        if not self.reasoning:
            return []
        if self.reasoning_switch:
            can = _(
                "This model can think before it answers; the template variable “{name}” controls this."
            ).format(name=self.reasoning_switch)
        else:
            can = _(
                "This model can think before it answers; its chat template has no variable to control this."
            )
        earlier = (
            _("In later turns it reads its earlier thoughts again.")
            if self.keeps_reasoning
            else _("In later turns it does not read its earlier thoughts again.")
        )
        return [can, earlier]


_reports: WeakKeyDictionary[Template, Report] = WeakKeyDictionary()


def examine(template: Template) -> Report:
    """Return the report on `template`; it is made once."""
    if template not in _reports:
        _reports[template] = _examined(template)
    return _reports[template]


def _examined(template: Template) -> Report:
    if template.is_plain:
        return Report(plain=True, problem=template.problem)
    try:
        alone = template.rendered([_HI], seconds=PROBE_SECONDS)
    except UserError as error:
        return Report(plain=False, problem=str(error), usable=False)
    switch = _switch(template)
    return Report(
        plain=False,
        takes_system=template.takes_system,
        takes_two_questions=_has(template, [_HI, _BYE], _HI.text, _BYE.text),
        takes_answer_first=template.takes_answer_first,
        keeps_text=_has(template, [Turn("user", _STRANGE)], _STRANGE),
        keeps_answers=_keeps_answers(template, alone),
        reasoning=template.reasoning is not None,
        reasoning_switch=switch if template.reasoning else "",
        reasoning_unless_off=bool(switch)
        and _rendered(template, [_HI], **{switch: _SWITCHES[switch][1]}) != alone,
        reasoning_by_default=template.opened(template.render([_HI])),
        keeps_reasoning=_has(template, [_HI, Turn("assistant", "Zq2", "Zq9"), _BYE], "Zq9"),
        variables=tuple(sorted(template.variables - FRAME)),
    )


def _rendered(template: Template, turns: Sequence[Turn], **variables: Any) -> str | None:
    try:
        return template.rendered(turns, variables, PROBE_SECONDS)
    except UserError:
        return None


def _has(template: Template, turns: Sequence[Turn], *texts: str) -> bool:
    text = _rendered(template, turns)
    return text is not None and all(part in text for part in texts)


def _switch(template: Template) -> str:
    """Return the first variable that changes the prompt of a single question; empty when none does."""
    for name, (on, off) in _SWITCHES.items():
        if name in template.variables:
            with_it, without = (_rendered(template, [_HI], **{name: value}) for value in (on, off))
            if with_it is not None and with_it != without:
                return name
    return ""


def _keeps_answers(template: Template, alone: str) -> bool:
    """Return whether the prompt with an answer behind it begins the prompt of the next turn."""
    whole = _rendered(template, [_HI, _HELLO, _BYE])
    return whole is not None and whole.startswith((alone + _HELLO.text, f"{alone} {_HELLO.text}"))
