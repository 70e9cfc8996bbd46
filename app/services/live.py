"""Answers on their way, and what each drain brings for them."""

import time
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.budget import Summary
from app.domain.chat import Message, Started, Status
from app.domain.generation import Chosen, EngineEvent, Failed, Finished, Fitted, Job, Overflow, Piece, Request
from app.domain.model import Model

MOST_TOKENS = 8192
"""Tokens of one answer whose probabilities are kept."""


class Phase(StrEnum):
    """Where a live answer stands."""

    RUNNING = "running"
    UNSAVED = "unsaved"  # ended, but the disk would not take it: `Conversation.retry_save`


@dataclass(frozen=True, slots=True)
class Update:
    """What one drain brought for one answer.

    Attributes:
        text: To append to the answer.
        event: The last event that is not a part of the answer.
        reasoning: To append to what the model thinks.
    """

    chat_id: int
    message_id: int
    text: str
    event: EngineEvent | None
    reasoning: str = ""


@dataclass(slots=True)
class Live:
    """An answer on its way.

    Attributes:
        started: The turn as it was when the engine started on it.
        model: What writes it.
        pieces, thoughts: The text and the reasoning so far, the part before a "continue" included.
        ending: How it ended, once it has.
        request: What the engine was asked last.
        summaries: Those of the chat.
        fitted: What of the chat the model sees.
        overflow: Why it cannot begin yet.
        aside: What has come of that which is done before it begins; None once nothing is.
        rounds: How often something had to be done.
    """

    started: Started
    model: Model
    job: Job
    request: Request
    pieces: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    phase: Phase = Phase.RUNNING
    ending: tuple[Status, Finished | Failed] | None = None
    summaries: list[Summary] = field(default_factory=list)
    fitted: Fitted | None = None
    overflow: Overflow | None = None
    aside: list[EngineEvent] | None = None
    rounds: int = 0
    _kept: int = 0
    _thought_seconds: float = 0.0  # before it began to think the last time
    _thinks_since: float | None = None

    @classmethod
    def of(cls, started: Started, model: Model, job: Job, request: Request) -> "Live":
        """Return the answer to a turn, holding what a continued one has so far."""
        reply = started.reply
        begun = [reply.text] if reply.text else []
        thought = [reply.reasoning] if reply.reasoning else []
        return cls(
            started,
            model,
            job,
            request,
            begun,
            thought,
            summaries=list(started.summaries),
            _thought_seconds=reply.reasoning_seconds,
        )

    @property
    def message(self) -> Message:
        """Return the reply's row as it was when the engine started on it."""
        return self.started.reply

    @property
    def text(self) -> str:
        """Return the answer as far as it has come."""
        return "".join(self.pieces)

    @property
    def reasoning(self) -> str:
        """Return what the model has thought so far."""
        return "".join(self.thoughts)

    @property
    def reasoning_seconds(self) -> float:
        """Return how long it has thought so far."""
        thinking = 0.0 if self._thinks_since is None else time.monotonic() - self._thinks_since
        return self._thought_seconds + thinking

    def take(self, events: list[EngineEvent]) -> tuple[Update, list[Chosen]]:
        """Add what the engine has written; return it, and the tokens whose probabilities are to be kept."""
        text = "".join(e.text for e in events if isinstance(e, Piece) and not e.reasoning)
        reasoning = "".join(e.text for e in events if isinstance(e, Piece) and e.reasoning)
        told = next((e for e in reversed(events) if not isinstance(e, Piece | Chosen)), None)
        if reasoning and self._thinks_since is None:
            self._thinks_since = time.monotonic()
        if text or isinstance(told, Finished | Failed):
            self._thought_seconds, self._thinks_since = self.reasoning_seconds, None
        if text:
            self.pieces.append(text)
        if reasoning:
            self.thoughts.append(reasoning)
        chosen = [e for e in events if isinstance(e, Chosen)][: MOST_TOKENS - self._kept]
        self._kept += len(chosen)
        return Update(self.message.chat_id, self.message.id, text, told, reasoning), chosen
