"""One generation: what is asked of the engine, and what it answers."""

from collections import deque
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import Any, Self

from app.domain.budget import Policy
from app.domain.errors import UserError
from app.domain.loading import Adapter, LoadOptions
from app.domain.settings import Settings


class StopReason(StrEnum):
    """Why an answer ended."""

    END = "end"  # the model ended it
    LENGTH = "length"  # max_tokens, or no room left in the context
    CANCELLED = "cancelled"  # a person stopped it


@dataclass(frozen=True, slots=True)
class Stats:
    """What one answer took.

    Attributes:
        prompt_tokens: Tokens in front of the answer, read or reused.
        reused_tokens: How many of them were already in the KV cache.
        generated_tokens: Tokens written.
        prefill_seconds: Reading the prompt.
        decode_seconds: Writing, from the first token to the last.
        first_token_seconds: From the moment the request reached a loaded model to the first token.
        seed: What the sampler was started with.
        context: Size in tokens of the context it ran in.
        rope: How positions were scaled: "none", "linear", "yarn", "ntk" or "longrope".
        kv_type: Type of the KV cache, "f16".
        flash_attention: Whether attention was computed without its table of scores.
        threads: CPU threads that wrote it; 0 when unknown.
        drafted_tokens: How many tokens were guessed ahead.
        accepted_tokens: How many of these the model wrote.
        samplers: The names of the samplers that each token went through, first to last.
    """

    stop_reason: StopReason
    prompt_tokens: int
    reused_tokens: int
    generated_tokens: int
    prefill_seconds: float
    decode_seconds: float
    first_token_seconds: float
    seed: int
    context: int
    rope: str = "none"
    kv_type: str = "f16"
    flash_attention: bool = True
    threads: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    samplers: tuple[str, ...] = ()

    @property
    def tokens_per_second(self) -> float:
        """Return the speed of writing; 0 when fewer than two tokens were written."""
        written = self.generated_tokens - 1
        return written / self.decode_seconds if written > 0 and self.decode_seconds > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what `to_json` wrote; unknown names are left out."""
        known = {name: value for name, value in values.items() if name in _stats_names}
        samplers = tuple(values.get("samplers", ()))
        return cls(**{**known, "stop_reason": StopReason(values["stop_reason"]), "samplers": samplers})


def unread(seed: int) -> Stats:
    """Return the stats of an answer that was cancelled before anything of its prompt was read."""
    return Stats(StopReason.CANCELLED, 0, 0, 0, 0.0, 0.0, 0.0, seed, 0)


# Computed once: opening a long chat asks for it thousands of times.
_stats_names = frozenset(f.name for f in fields(Stats))


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as the model reads it: `role` is "system", "user" or "assistant".

    Attributes:
        reasoning: What an assistant thought before this answer; most templates leave it out.
    """

    role: str
    text: str
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A summary in a request: `text` stands for the messages before the one numbered `until`.

    Attributes:
        kept: What a person wrote of it, with which it begins.
    """

    until: int
    text: str
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """What may be left out of a conversation that does not fit; messages are numbered without the system's.

    Attributes:
        policy: What happens then.
        pinned: The messages that always stay.
        since: Where the prompt before this one began.
        held: The summary that was sent with it.
        ahead: The newest summary there is.
        gives_way: Drop the oldest turns, since what the policy says was tried and could not be done.
    """

    policy: Policy = Policy.SUMMARISE
    pinned: frozenset[int] = frozenset()
    since: int = 0
    held: Standing | None = None
    ahead: Standing | None = None
    gives_way: bool = False


@dataclass(frozen=True, slots=True)
class Summarising:
    """Instead of an answer a summary is asked for: of the messages before the one numbered `until`.

    Attributes:
        until: None leaves it to the engine, which then writes none while there is time.
    """

    until: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One answer asked of the engine.

    Attributes:
        model: Path of the GGUF file; it is loaded first when it is not the loaded one.
        turns: The conversation, oldest first. It ends with the user's turn, or, with
            `continues`, with the unfinished answer that is to be carried on.
        settings: How to sample.
        continues: Go on where the last turn, an assistant's, breaks off.
        options: How the model is loaded; other ones than those of the loaded model load it anew.
        adapters: LoRA adapters that are laid over the model for this answer.
        chat: Whose conversation this is. What was read may be kept on disk under it, to be there after
            a restart; None for what must leave no trace.
        background: Nobody waits for it: it gives way to the answers that somebody reads.
        window: What may be left out of `turns`; None for nothing.
        summarising: Write a summary of the older of `turns`; needs a window.
    """

    model: Path
    turns: tuple[Turn, ...]
    settings: Settings
    continues: bool = False
    options: LoadOptions = field(default_factory=LoadOptions)
    adapters: tuple[Adapter, ...] = ()
    chat: int | None = None
    background: bool = False
    window: Window | None = None
    summarising: Summarising | None = None


@dataclass(frozen=True, slots=True)
class Loading:
    """The model's file is being read: `fraction` from 0 to 1."""

    fraction: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Prefill: `done` of `total` new tokens of the prompt have been read, in `seconds`."""

    done: int
    total: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the answer, whole characters only.

    Attributes:
        reasoning: It belongs to what the model thinks before it answers.
    """

    text: str
    reasoning: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A token that could stand at one place of the answer.

    Attributes:
        text: What it spells; half a character is shown as "\ufffd".
        logprob: Natural logarithm of its probability by the model alone, before any sampler.
    """

    token: int
    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """One token that was written, with the likeliest ones at its place; only when they were asked for."""

    choice: Choice
    top: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The exact prompt of a request, without an answer to it.

    Attributes:
        parts: Its text in order, each part with whether it is a control token of the model.
        tokens: How many tokens it has.
    """

    parts: tuple[tuple[str, bool], ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the model sees for an answer: every message from the one numbered `start` on, and the pinned ones.

    Attributes:
        standing: The summary that stands for those before; None for none.
    """

    start: int
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Overflow:
    """The conversation does not fit, and something is to be done first; Finished follows, without an answer.

    Attributes:
        tokens: What all of it takes with room for an answer, about.
        context: What there is.
        until: The messages before this number should be summarised.
    """

    tokens: int
    context: int
    until: int


@dataclass(frozen=True, slots=True)
class Covers:
    """The pieces that follow are a summary of the messages before the one numbered `until`.

    Attributes:
        wanted: Up to where one was wanted; more where not all of it could be read at once.
    """

    until: int
    wanted: int


@dataclass(frozen=True, slots=True)
class WaitsForSummary:
    """The answer begins when older messages are summarised; told by the conversation, not the engine."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a request with a window takes, in tokens.

    Attributes:
        context: The size of its context.
        room: Kept free for the answer.
        system: The system prompt, and the frame of the template.
        messages: Each message with its frame.
        summary: The summary that is sent.
        fitted: What is sent; None when it does not fit.
        overflows: Not all of it is sent, or a summary must be written first.
        waits: A summary must be written first.
    """

    context: int
    room: int
    system: int
    messages: tuple[int, ...]
    summary: int
    fitted: Fitted | None
    overflows: bool
    waits: bool

    @property
    def total(self) -> int:
        """Return what all of it takes, with room for the answer."""
        return self.system + sum(self.messages) + self.room


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is whole; nothing follows. `stats` is None for a job that only loads a model."""

    stats: Stats | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The job could not be done; nothing follows. Pieces that came before stay valid."""

    error: UserError


EngineEvent = (
    Loading
    | Reading
    | Piece
    | Chosen
    | Rendered
    | Fitted
    | Overflow
    | Covers
    | Measured
    | WaitsForSummary
    | Finished
    | Failed
)


class Job:
    """A request on its way through the engine, held by both sides.

    The engine appends to `events` and the owner pops from the left: no lock, no callback.
    Exactly one Finished or Failed comes last, whatever happens.

    Attributes:
        events: What the engine has written.
        cancelled: Whether `cancel` was called.
    """

    def __init__(self, interrupt: bytearray | None = None) -> None:
        """Prepare a job.

        Args:
            interrupt: Two bytes of the engine's, the second always 0. llama.cpp reads the first while it
                computes: not 0 stops the computation within about a millisecond.
        """
        self.events: deque[EngineEvent] = deque()
        self.cancelled = False
        self._interrupt = bytearray(2) if interrupt is None else interrupt
        self._arrived = Event()

    def cancel(self) -> None:
        """Ask the engine to stop; what it has written so far stays. May be called from any thread."""
        self.cancelled = True
        self._interrupt[0] = 1  # after the other, which is what the engine then looks at

    def put(self, event: EngineEvent) -> None:
        """Append `event`. Only the engine calls this."""
        self.events.append(event)
        if not self._arrived.is_set():  # `drain` clears it before it takes, so this event is not missed
            self._arrived.set()

    def drain(self) -> list[EngineEvent]:
        """Take out every event that has arrived, oldest first."""
        self._arrived.clear()
        taken = []
        while self.events:
            taken.append(self.events.popleft())
        return taken

    def wait(self, timeout: float | None = None) -> list[EngineEvent]:
        """Drain, waiting up to `timeout` seconds for the first event: for those who do not poll."""
        if not self.events:
            self._arrived.wait(timeout)
        return self.drain()
