"""Chat templates: the conversation as the text that the model was trained to read.

Templates come with the model's file and are not trusted: `app.engine.templates` bounds what they may do.
The text of messages is told apart from the template's own, so that a person who types `<|im_end|>` does
not end their turn.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from app.domain.errors import UserError
from app.domain.generation import Turn
from app.domain.language import _
from app.engine.reasoning import Markers, markers_in
from app.engine.templates.environment import Program, Refusal, Unusable
from app.engine.templates.meter import Exhausted
from app.engine.templates.words import Words, marked, written

MAX_SECONDS = 5.0
PROBE_SECONDS = 0.5  # for a conversation that only finds out what a template can do

_ANSWERS = "Assistant:"
PLAIN_STOP = ("\nUser:", "\nAssistant:")
OF_VARIABLES = -1  # the number of the turn that a template's variables count as

# What a template reads beside its variables; nobody's settings may change it.
FRAME = frozenset({"messages", "add_generation_prompt", "continue_final_message", "bos_token", "eos_token"})

_SHOWN_REASON = 300
_PROBE = "Hm, hm"
_TAG_BEFORE = re.compile(r"(<[^<>\s]{0,20}(?:think|thought|reason)[^<>\s]{0,20}>)\s*$", re.IGNORECASE)
_TAG_BEHIND = re.compile(r"^\s*(<[^<>\s]{1,40}>)")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the prompt: the template's own words, or the text of the turn numbered `turn`."""

    text: str
    turn: int | None = None


class Template:
    """One model's chat template.

    Attributes:
        is_plain: The model brought none that works: a plain dialogue is used instead.
        problem: Why the one it brought does not work, in the words of Jinja; empty otherwise.
        stop: Strings that end an answer beside the model's own end tokens.
    """

    def __init__(
        self,
        source: str | None,
        bos: str = "",
        eos: str = "",
        has_token: Callable[[str], bool] = lambda _token: False,
    ) -> None:
        """Compile `source`, the `tokenizer.chat_template` of the file, if there is one.

        A template that cannot be compiled counts as none.

        Args:
            source: The template.
            bos: What the token spells that begins a text.
            eos: What the token spells that ends one.
            has_token: Whether the vocabulary has a token of its own that is spelled so.
        """
        self._source = source or ""
        self._names = {"bos_token": bos, "eos_token": eos}
        self._has_token = has_token
        self._program: Program | None = None
        self.problem = ""
        if source:
            try:
                self._program = Program(source)
            except Unusable as problem:
                self.problem = str(problem)[:_SHOWN_REASON]
        self.is_plain = self._program is None
        self.stop = PLAIN_STOP if self.is_plain else ()

    @property
    def variables(self) -> frozenset[str]:
        """Return the names that the template reads and does not set itself, those of its frame among them."""
        return self._program.variables if self._program else frozenset()

    @cached_property
    def reasoning(self) -> Markers | None:
        """Return how this template marks reasoning; None when it knows none."""
        if self._program is None:
            return None
        return markers_in(self._source, self._has_token) or self._markers_shown()

    def _markers_shown(self) -> Markers | None:
        """Find the markers that are put together while rendering, by looking where reasoning comes to lie."""
        turns = [Turn("user", "Hi"), Turn("assistant", "Hello", _PROBE)]
        try:
            text = self.rendered(turns, seconds=PROBE_SECONDS)
        except UserError:
            return None
        if known := markers_in(text):
            return known
        before, found, behind = str.partition(text, _PROBE)
        start, end = _TAG_BEFORE.search(before), _TAG_BEHIND.search(behind)
        if not (found and start and end) or start[1] == end[1]:
            return None
        return Markers((start[1],), (end[1],))

    def opened(self, segments: Sequence[Segment]) -> bool:
        """Return whether the prompt `segments` ends within an open reasoning: the model goes on with it."""
        own = (
            segment.text for segment in reversed(segments) if segment.turn is None and segment.text.strip()
        )
        return self.reasoning is not None and self.reasoning.opened(next(own, ""))

    @cached_property
    def _no_tools(self) -> list[Any] | None:
        """What says that there are no tools: None by custom, which some templates try to loop over."""
        self.__dict__["_no_tools"] = None  # while the custom is being tried
        return None if self._renders([Turn("user", "Hi")]) else []

    @cached_property
    def takes_system(self) -> bool:
        """Return whether a system message reaches the model, neither refused nor left out."""
        try:
            return "Zq7" in self.rendered([Turn("system", "Zq7"), Turn("user", "Hi")], seconds=PROBE_SECONDS)
        except UserError:
            return False

    @cached_property
    def takes_answer_first(self) -> bool:
        """Return whether a conversation may begin with an answer."""
        return self._renders([Turn("assistant", "Hello"), Turn("user", "Hi")])

    def _renders(self, turns: Sequence[Turn]) -> bool:
        try:
            self.rendered(turns, seconds=PROBE_SECONDS)
        except UserError:
            return False
        return True

    def render(self, turns: Sequence[Turn], variables: Mapping[str, Any] | None = None) -> list[Segment]:
        """Return the prompt for `turns`, up to where the model begins to answer.

        What the template cannot take is put so that it can: see `prepared`.

        Args:
            turns: The conversation.
            variables: What the template is given beside it: names to JSON values.

        Raises:
            UserError: When the template refuses this conversation, takes too long or makes too much, or
                when a variable has a name that is the template's own.
        """
        if own := sorted(FRAME & set(variables or ())):
            raise UserError(
                _("Fireside fills in the template variable “{name}” itself; choose another name.").format(
                    name=own[0]
                )
            )
        turns = self.prepared(turns)
        if self._program is None:
            return _plain(turns)
        return _segments(self.rendered(turns, variables))

    def resume(self, turns: Sequence[Turn], variables: Mapping[str, Any] | None = None) -> list[Segment]:
        """Return the prompt for `turns`, the last of which is an answer to be carried on where it breaks off.

        Reasoning that came before it is put in front again, as the model wrote it. An answer of which
        there is only reasoning yet is resumed within that.

        Raises:
            UserError: As `render` does.
        """
        *earlier, begun = turns
        segments = self.render(earlier, variables)
        number = len(self.prepared(earlier))
        markers = self.reasoning
        own = end = thought = ""
        if markers and (begun.reasoning or self.opened(segments)):
            own = "" if self.opened(segments) else markers.start[-1] + markers.gap
            thought, end = begun.reasoning, markers.closing
        elif markers:
            end = markers.answer
        parts = [Segment(own), Segment(thought, number)]
        if begun.text:
            parts += [Segment(end), Segment(begun.text, number)]
        return segments + [part for part in parts if part.text]

    def prepared(self, turns: Sequence[Turn]) -> list[Turn]:
        """Return `turns` as this template can take them; `Segment.turn` counts these.

        Empty ones go and neighbours of one role become one. A system message that the template refuses
        or leaves out stands in front of the first question. An answer that comes first is preceded by an
        empty question where it must be.
        """
        turns = merged(turns)
        if self._program is None or not turns:
            return turns
        if turns[0].role == "system" and not self.takes_system:
            turns = merged([replace(turns[0], role="user"), *turns[1:]])
        if turns[0].role == "assistant" and not self.takes_answer_first:
            turns = [Turn("user", ""), *turns]
        return turns

    def rendered(
        self,
        turns: Sequence[Turn],
        variables: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> str:
        """Return what the template makes of exactly these turns; what a person wrote is `Words` in it.

        Args:
            turns: As the template gets them.
            variables: As for `render`.
            seconds: How long it may take; `MAX_SECONDS` when it is not said.

        Raises:
            UserError: As `render` does.
        """
        if self._program is None:
            return "".join(segment.text for segment in _plain(turns))
        given = {
            # Many templates ask for these without asking first whether they are there.
            "tools": self._no_tools,
            "documents": None,
            **marked(dict(variables or {}), OF_VARIABLES),
            **self._names,
            "messages": [_message(turn, number) for number, turn in enumerate(turns)],
            "add_generation_prompt": not turns or turns[-1].role != "assistant",
        }
        try:
            return self._program.run(given, MAX_SECONDS if seconds is None else seconds)
        except Refusal as refusal:
            raise UserError(
                _("The chat template of this model refuses this conversation: {reason}").format(
                    reason=str(refusal)[:_SHOWN_REASON]
                )
            ) from None
        except Exhausted as exhausted:
            if exhausted.time:
                raise UserError(_("The chat template of this model takes too long to run.")) from None
            raise UserError(
                _("The chat template of this model writes too much text for this conversation.")
            ) from None


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
            thoughts = [t.reasoning for t in (kept[-1], turn) if t.reasoning]
            kept[-1] = Turn(turn.role, f"{kept[-1].text}\n\n{turn.text}", "\n\n".join(thoughts))
        else:
            kept.append(turn)
    return kept


def _message(turn: Turn, number: int) -> dict[str, str]:
    message = {"role": turn.role, "content": written(turn.text, number)}
    if turn.reasoning:
        # The field has not agreed on a name: most templates read the first.
        for name in ("reasoning_content", "reasoning", "thinking"):
            message[name] = written(turn.reasoning, number)
    return message


def _plain(turns: Sequence[Turn]) -> list[Segment]:
    """A dialogue that a model without a template can carry on."""
    segments: list[Segment] = []
    for number, turn in enumerate(turns):
        name = {"user": "User: ", "assistant": _ANSWERS}.get(turn.role, "")
        # The space belongs to the answer, as it does when the model writes one.
        words = f" {turn.text.strip()}" if turn.role == "assistant" else turn.text.strip()
        segments += [Segment(name), Segment(words, number), Segment("\n")]
    segments.append(Segment(_ANSWERS))
    return [segment for segment in segments if segment.text]


def _segments(text: str) -> list[Segment]:
    plain = str.__getitem__(text, slice(None))
    segments: list[Segment] = []
    at = 0
    for start, end, turn in text.spans if isinstance(text, Words) else ():
        segments += [Segment(plain[at:start]), Segment(plain[start:end], turn)]
        at = end
    segments.append(Segment(plain[at:]))
    return [segment for segment in segments if segment.text]
