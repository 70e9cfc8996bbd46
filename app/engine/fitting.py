"""Makes a long conversation fit into a context: counts its messages, and leaves out what must give way."""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.domain.budget import (
    Choice,
    Digest,
    Policy,
    Rules,
    Weight,
    least_room,
    room_to_answer,
    summary_size,
)
from app.domain.budget_words import outgrown, too_long
from app.domain.errors import UserError
from app.domain.generation import (
    Covers,
    Fitted,
    Measured,
    Overflow,
    Request,
    Standing,
    Turn,
    Window,
)
from app.engine.model import LoadedModel

_REMEMBERED = 20_000  # counts
_TRIES = 6
_HEADING = 24  # tokens around a summary
_SAID = "…"  # what a pinned answer without its question answers
_IDEOGRAPHS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

Read = Callable[[Request], list[int]]
"""Returns the tokens of the prompt of a request."""


class Counts:
    """How many tokens texts have, each counted once for each model."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Path, int, int], int] = OrderedDict()
        self._frames: dict[tuple[Path, str], tuple[int, int]] = {}

    def of(self, model: LoadedModel, text: str) -> int:
        """Return the tokens of `text` by itself."""
        key = (model.path, len(text), hash(text))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(model.tokenize(text, special=False))
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def frames(self, model: LoadedModel, variables: Mapping[str, Any]) -> tuple[int, int]:
        """Return what the template adds to a conversation with a system prompt, and to each message."""
        key = (model.path, repr(sorted(variables.items())))
        if key not in self._frames:
            short = [Turn("system", "x"), Turn("user", "x")]
            long = [*short, Turn("assistant", "x"), Turn("user", "x")]
            one, two = (
                len(model.prompt(model.template.render(turns, variables), lambda _text: None))
                for turns in (short, long)
            )
            each = max(0, -(-(two - one - 2) // 2))
            self._frames[key] = max(0, one - 2 - each), each
        return self._frames[key]


@dataclass(frozen=True, slots=True)
class Fit:
    """A request as it is sent, and its prompt."""

    request: Request
    tokens: list[int]
    fitted: Fitted


class Sheet:
    """One conversation laid out for one model and one size of the context."""

    def __init__(self, model: LoadedModel, request: Request, size: int, counts: Counts) -> None:
        """Count it.

        Args:
            model: What counts.
            request: One with a window.
            size: Of the context, in tokens.
            counts: What has been counted before.
        """
        if request.window is None:
            raise ValueError("only a request with a window can be fitted")
        self.window: Window = request.window
        self._model, self._request, self._size, self._counts = model, request, size, counts
        turns = request.turns
        self._system = turns[0].text if turns and turns[0].role == "system" else ""
        self._messages = turns[1:] if self._system else turns
        frame, each = counts.frames(model, request.settings.template_variables)
        self.fixed = frame + (counts.of(model, self._system) if self._system else 0)
        self.weights = [
            Weight(self._of(turn.text) + each, turn.role == "user", number in self.window.pinned)
            for number, turn in enumerate(self._messages)
        ]

    def fit(self, read: Read) -> Fit | Overflow:
        """Return what is sent, or what is to be done first.

        Raises:
            UserError: When the last message does not fit beside what must stay, or nothing may be left out.
        """
        room = self._room
        slack = 0
        for _try in range(_TRIES):
            limit = self._size - room - slack
            choice = self._choose(limit)
            if choice is None:
                if room == self._least_room:
                    break
                room, slack = self._least_room, 0
                continue
            if (first := self._first_to_do(choice)) is not None:
                return first
            fit = self._made(choice, read)
            over = len(fit.tokens) + room - self._size
            if over <= 0:
                return fit
            slack += over + 1
        raise self._too_long()

    def as_sent(self) -> Request:
        """Return the request as it was sent for the prompt that its window tells of."""
        turns = self._assembled(self.window.since, self.window.held)
        return replace(self._request, turns=tuple(turns), window=None)

    def measure(self) -> Measured:
        """Return what it takes; nothing is rendered."""
        room = self._room
        choice = self._choose(self._size - room)
        if choice is None:
            room = self._least_room
            choice = self._choose(self._size - room)
        digest = choice.digest if choice else None
        return Measured(
            context=self._size,
            room=room,
            system=self.fixed,
            messages=tuple(weight.tokens for weight in self.weights),
            summary=digest.tokens if digest else 0,
            fitted=Fitted(choice.start, self._standing(digest)) if choice else None,
            overflows=choice is None or choice.start > self.window.since or choice.wanted is not None,
            waits=choice is not None and choice.wanted is not None,
        )

    def summarised(self, read: Read) -> tuple[Request, Covers] | None:
        """Return the request for a summary, and what that covers.

        None when there is no need of one, or when not even one turn can be read.
        """
        asked, window = self._request.summarising, self.window
        if asked is None:
            raise ValueError("no summary is asked for")
        most = summary_size(self._size)
        standing = window.ahead or window.held
        begin = standing.until if standing else 0
        held = self._digest(standing)
        until = asked.until
        if until is None:
            if window.ahead and window.ahead.until > window.since:
                return None  # it is there
            rules = Rules(self.fixed, self.weights, self._size - self._room)
            until = rules.ahead(since=window.since, held=held.tokens if held else 0, most_summary=self._most)
        if until is None or until <= begin:
            return None
        instruction = Turn("user", _instruction(self._language, most, again=standing is not None))
        extra = most + (held.tokens if held else 0) + self._of(instruction.text) + _HEADING
        rules = Rules(self.fixed, self.weights, self._size)
        while (end := rules.readable(begin, until, extra)) > begin:
            turns = (*self._assembled(begin, standing, end), instruction)
            settings = replace(self._request.settings, max_tokens=most)
            request = replace(self._request, turns=turns, settings=settings, continues=False)
            tokens = read(request)
            if len(tokens) + most <= self._size:
                return request, Covers(end, until)
            extra += len(tokens) + most - self._size
        return None

    @property
    def _room(self) -> int:
        return room_to_answer(self._size, self._request.settings.max_tokens)

    @property
    def _least_room(self) -> int:
        return least_room(self._size, self._request.settings.max_tokens)

    @property
    def _language(self) -> str:
        return "zh" if any(_IDEOGRAPHS.search(t.text) for t in self._messages if t.role == "user") else "en"

    @property
    def _most(self) -> int:
        """Return the most tokens of a summary that has yet to be written, with a person's words in front."""
        known = self.window.ahead or self.window.held
        return summary_size(self._size) + _HEADING + (self._of(known.kept) if known and known.kept else 0)

    def _of(self, text: str) -> int:
        return self._counts.of(self._model, text)

    def _digest(self, standing: Standing | None) -> Digest | None:
        return None if standing is None else Digest(standing.until, self._of(standing.text) + _HEADING)

    def _standing(self, digest: Digest | None) -> Standing | None:
        known = (self.window.held, self.window.ahead)
        return next((each for each in known if each and digest == self._digest(each)), None)

    def _choose(self, limit: int) -> Choice | None:
        window = self.window
        return Rules(self.fixed, self.weights, limit).choose(
            since=window.since,
            held=self._digest(window.held),
            ahead=self._digest(window.ahead),
            summarises=window.policy is Policy.SUMMARISE and not window.gives_way,
            most_summary=self._most,
        )

    def _first_to_do(self, choice: Choice) -> Overflow | None:
        """Return what is to be done before `choice` is sent; None when it can be sent.

        Raises:
            UserError: When nothing may be left out.
        """
        policy = self.window.policy
        if policy is Policy.ASK and choice.start > self.window.since:
            raise outgrown(self._needed, self._size)
        extends = policy is Policy.EXTEND and choice.start > 0 and not self.window.gives_way
        if choice.wanted is None and not extends:
            return None
        return Overflow(self._needed, self._size, choice.wanted or choice.start)

    @property
    def _needed(self) -> int:
        return self.fixed + sum(weight.tokens for weight in self.weights) + self._room

    def _made(self, choice: Choice, read: Read) -> Fit:
        standing = self._standing(choice.digest)
        turns = tuple(self._assembled(choice.start, standing))
        request = replace(
            self._request, turns=turns, window=replace(self.window, since=choice.start, held=standing)
        )
        return Fit(request, read(request), Fitted(choice.start, standing))

    def _assembled(self, start: int, standing: Standing | None, end: int | None = None) -> list[Turn]:
        """Return the system prompt with the summary, the pinned messages, and those from `start` to `end`."""
        system = self._system
        if standing:
            heading = _heading(self._language)
            system = "\n\n".join(part for part in (system, f"{heading}\n{standing.text}") if part)
        kept: list[Turn] = []
        for number, turn in enumerate(self._messages[:end]):
            if number >= start or number in self.window.pinned:
                if not kept and turn.role == "assistant":
                    kept.append(Turn("user", _SAID))
                kept.append(turn)
        return [Turn("system", system), *kept] if system else kept

    def _too_long(self) -> UserError:
        last = max((number for number, weight in enumerate(self.weights) if weight.asks), default=0)
        return too_long(Rules(self.fixed, self.weights, self._size).cost(last), self._size)


def _heading(language: str) -> str:
    return "此前对话的摘要：" if language == "zh" else "Summary of the conversation so far:"


def _instruction(language: str, tokens: int, *, again: bool) -> str:
    """Return what asks for a summary, or for a newer one, in the language of the chat."""
    if language == "zh":
        earlier = "，并包括此前的摘要" if again else ""
        return (
            f"请总结我们到目前为止的对话{earlier}。保留姓名、数字、事实、决定和未解决的问题。"
            f"只写摘要，不超过{tokens // 2}字。"
        )
    earlier = ", the earlier summary included" if again else ""
    return (
        f"Summarise our conversation so far{earlier}. Keep names, numbers, facts, decisions and open "
        f"questions. Write only the summary, in at most {tokens // 2} words."
    )
