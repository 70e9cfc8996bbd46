"""Models on their way from a hub to this computer."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class State(StrEnum):
    """How a download stands; whether it is being fetched right now is not stored."""

    WAITING = "waiting"
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class RemotePart:
    """One file of a model at a hub.

    Attributes:
        path: In the repository.
        size: In bytes.
        sha256: Of its bytes, in lower case.
    """

    path: str
    size: int
    sha256: str

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: When it makes no sense.
        """
        return cls(str(value["path"]), int(value["size"]), str(value["sha256"]))

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Download:
    """A model that is wanted.

    Attributes:
        id: Of its row; 0 before there is one.
        name: What to call it.
        endpoint: Address of the mirror where it was found; empty for the usual hub.
        repository: "maker/name".
        commit: Whose files these are; 40 hexadecimal digits.
        quantization: Empty when its file name says none.
        parts: All its files, in the order in which they are fetched.
        state: See `State`.
        problem: Why it failed, and `hint` what to do about it.
    """

    id: int
    name: str
    endpoint: str
    repository: str
    commit: str
    quantization: str
    parts: tuple[RemotePart, ...]
    state: State = State.WAITING
    problem: str = ""
    hint: str = ""

    @property
    def sha256(self) -> str:
        """Return the sha256 of a model that is a single file, nothing for others."""
        return self.parts[0].sha256 if len(self.parts) == 1 else ""

    @property
    def size(self) -> int:
        """Return the bytes of all its files."""
        return sum(part.size for part in self.parts)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is.

    Attributes:
        running: It is being fetched right now.
        done: Bytes of it that are on this disk.
        bytes_per_second: Over the last seconds; 0 when nothing comes.
        seconds_left: At that speed; None when nobody can tell.
        next_try: Seconds until it is tried again, None when it does not wait for that.
        reason: Why it waits for that, as a sentence.
    """

    running: bool
    done: int
    bytes_per_second: float = 0.0
    seconds_left: float | None = None
    next_try: float | None = None
    reason: str = ""
