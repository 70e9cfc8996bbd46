"""What was asked of whom over the network, noted where every question passes.

Noted are the host, the kind of the question, how much came and how it ended: never the words of a search,
the name of a model, a token or a path.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from models_registry.hub.errors import HubError

_MOST = 1000

DONE, LED_ON, STOPPED = "done", "led_on", "stopped"


class Purpose(StrEnum):
    """Why somebody is asked."""

    TEST = "test"
    """Whether the hub answers."""
    SEARCH = "search"
    PAGE = "page"
    """What the hub says of one model, and of who published it."""
    HEADER = "header"
    """A few ranges of a model's file, to know whether it fits."""
    FILE = "file"
    """A model's file."""


@dataclass(slots=True)
class Contact:
    """One request to one host.

    Attributes:
        host: With its port where that is not the usual one.
        began: In UTC.
        received: Bytes of the answer so far, without its headers.
        outcome: DONE, LED_ON to another host, STOPPED from here, or the value of a HubProblem; empty as long
            as it goes on.
    """

    host: str
    purpose: Purpose
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    received: int = 0
    outcome: str = ""


class ContactLog:
    """The last contacts, the oldest first. Threads may share it."""

    def __init__(self, told: Callable[[Contact], None] = lambda contact: None) -> None:
        """Begin with none; `told` is called with each one as it begins and as it ends, on its own thread."""
        self._told = told
        self._lock = threading.Lock()
        self._contacts: deque[Contact] = deque(maxlen=_MOST)

    def known(self) -> tuple[Contact, ...]:
        """Return the contacts there were; those that go on still change."""
        with self._lock:
            return tuple(self._contacts)

    def visit(self, purpose: Purpose) -> "Visit":
        """Return what notes one question, through all the hosts that it is led to."""
        return Visit(self, purpose)

    def begin(self, url: str, purpose: Purpose) -> Contact:
        """Note that a host is being asked."""
        contact = Contact(_host(url), purpose)
        with self._lock:
            self._contacts.append(contact)
        self._told(contact)
        return contact

    def end(self, contact: Contact, outcome: str) -> None:
        """Note how it ended."""
        contact.outcome = outcome
        self._told(contact)


class Visit:
    """One question and where it led. As a context it notes the error with which the block ends."""

    def __init__(self, log: ContactLog, purpose: Purpose) -> None:
        self._log, self._purpose = log, purpose
        self._lock = threading.Lock()
        self._contact: Contact | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, HubError):
            self.end(error.problem)
        elif error is not None:
            self.end(STOPPED)

    def reach(self, url: str) -> None:
        """Note that the host of `url` is asked now, after the one that named it."""
        self.end(LED_ON)
        self._contact = self._log.begin(url, self._purpose)

    def receive(self, count: int) -> None:
        """Note that `count` bytes more have come."""
        contact = self._contact
        if contact is not None:
            contact.received += count

    def end(self, outcome: str) -> None:
        """Note how it ended, unless that is known."""
        with self._lock:
            contact, self._contact = self._contact, None
        if contact is not None:
            self._log.end(contact, outcome)


def _host(url: str) -> str:
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = parts.hostname or ""
    return host if parts.port in (None, usual) else f"{host}:{parts.port}"
