"""One generation: what is asked of the engine, and what it answers."""

from collections import deque
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import Any, Self

from app.domain.errors import UserError
from app.domain.language import _

MAX_SEED = 2**32 - 2  # 2**32 - 1 asks llama.cpp for a random one


@dataclass(frozen=True, slots=True)
class Settings:
    """How an answer is sampled, in llama.cpp's terms; neutral values switch a sampler off.

    Attributes:
        temperature: 0 takes the likeliest token; above 0 flattens (> 1) or sharpens (< 1).
        top_k: Keep the k likeliest tokens; 0 keeps all.
        top_p: Keep the likeliest tokens that together reach this probability; 1 keeps all.
        min_p: Keep tokens at least this fraction as likely as the likeliest; 0 keeps all.
        repeat_penalty: Divide the logits of tokens among the last `repeat_last_n`; 1 is none.
        seed: None draws a fresh one; the one that was used is in `Stats.seed`.
        max_tokens: The most tokens to write; None stops only at the end of the context.
        context: Tokens the model can see at once; None leaves the choice to the engine.
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    seed: int | None = None
    max_tokens: int | None = None
    context: int | None = None

    def checked(self) -> Self:
        """Return self when every value is in range.

        Raises:
            UserError: Naming the first value that is not, and its range.
        """
        ranges: dict[str, tuple[float, float]] = {
            "temperature": (0, 5),
            "top_k": (0, 1_000_000),
            "top_p": (0, 1),
            "min_p": (0, 1),
            "repeat_penalty": (0.1, 5),
            "repeat_last_n": (0, 1_000_000),
            "seed": (0, MAX_SEED),
            "max_tokens": (1, 100_000_000),
            "context": (256, 100_000_000),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:  # also refuses NaN
                raise UserError(
                    _("{name} must lie between {low} and {high}, and {value} does not.").format(
                        name=name.replace("_", "-"), low=low, high=high, value=value
                    )
                )
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what `to_json` wrote, also by an older or newer Fireside: unknown names are left out."""
        return replace(cls(), **{name: value for name, value in values.items() if name in _settings_names})


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
        rope: How positions were scaled: "none", or the type the file declares.
        kv_type: Type of the KV cache, "f16".
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
        return cls(**{**known, "stop_reason": StopReason(values["stop_reason"])})


def unread(seed: int) -> Stats:
    """Return the stats of an answer that was cancelled before anything of its prompt was read."""
    return Stats(StopReason.CANCELLED, 0, 0, 0, 0.0, 0.0, 0.0, seed, 0)


# Computed once: opening a long chat asks for them thousands of times.
_settings_names = frozenset(f.name for f in fields(Settings))
_stats_names = frozenset(f.name for f in fields(Stats))


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as the model reads it: `role` is "system", "user" or "assistant"."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """One answer asked of the engine.

    Attributes:
        model: Path of the GGUF file; it is loaded first when it is not the loaded one.
        turns: The conversation, oldest first. It ends with the user's turn, or, with
            `continues`, with the unfinished answer that is to be carried on.
        settings: How to sample.
        continues: Go on where the last turn, an assistant's, breaks off.
    """

    model: Path
    turns: tuple[Turn, ...]
    settings: Settings
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Loading:
    """The model's file is being read: `fraction` from 0 to 1."""

    fraction: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Prefill: `done` of `total` new tokens of the prompt have been read."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the answer, whole characters only."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is whole; nothing follows. `stats` is None for a job that only loads a model."""

    stats: Stats | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The job could not be done; nothing follows. Pieces that came before stay valid."""

    error: UserError


EngineEvent = Loading | Reading | Piece | Finished | Failed


class Job:
    """A request on its way through the engine, held by both sides.

    The engine appends to `events` and the owner pops from the left: no lock, no callback.
    Exactly one Finished or Failed comes last, whatever happens.

    Attributes:
        flag: Two bytes, the second always 0. llama.cpp reads the first while it computes:
            not 0 stops the computation within about a millisecond.
    """

    def __init__(self) -> None:
        self.events: deque[EngineEvent] = deque()
        self.flag = bytearray(2)
        self._arrived = Event()

    def cancel(self) -> None:
        """Ask the engine to stop; what it has written so far stays. May be called from any thread."""
        self.flag[0] = 1

    @property
    def cancelled(self) -> bool:
        """Return whether `cancel` was called."""
        return self.flag[0] != 0

    def put(self, event: EngineEvent) -> None:
        """Append `event`. Only the engine calls this."""
        self.events.append(event)
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
