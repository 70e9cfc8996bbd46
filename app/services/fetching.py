"""One download from its first byte to its last, with the patience that a bad network takes."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from app.domain.download import Download, Progress, RemotePart
from app.domain.hub_problems import explain
from app.domain.language import _
from models_registry.hub.errors import HubError, HubProblem
from models_registry.transfer import (
    BrokenOff,
    ByteSource,
    Throttle,
    Transfer,
    TransferError,
    Trouble,
    Wanted,
)

_DELAYS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # seconds before a next try; the last one again and again
_LONGEST_WAIT = 600.0  # that a server may ask for
_JITTER = 0.2
_FOR_EVER = {HubProblem.OFFLINE, HubProblem.TIMEOUT, HubProblem.RATE_LIMITED}
_A_WHILE = {HubProblem.SERVER, HubProblem.ANSWER}
_IN_USE_SECONDS = 2.0  # after which to look whether another download is done with the same file
_TRIES = 8  # in a row, without a byte, where the network itself works
_SPEED_SECONDS = 4.0  # over which the speed is measured


class Sender(Protocol):
    """A hub, as far as bytes go."""

    @property
    def endpoint(self) -> str:
        """Return its address."""

    @property
    def is_mirror(self) -> bool:
        """Return whether it is another one than the usual hub."""

    def open(self, repository: str, commit: str, path: str, start: int, sha256: str) -> ByteSource:
        """Begin to send a file of this content, from the byte `start` on."""


class Speed:
    """Bytes a second over the last seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def at(self, done: int, now: float) -> float:
        """Note that `done` bytes have come until `now`; return the speed."""
        seen = self._seen
        if seen and done < seen[-1][1]:
            seen.clear()
        seen.append((now, done))
        while len(seen) > 2 and seen[1][0] <= now - _SPEED_SECONDS:
            seen.popleft()
        seconds = now - seen[0][0]
        return (done - seen[0][1]) / seconds if seconds > 0 else 0.0


def target_of(folder: Path, download: Download, part: RemotePart) -> Path:
    """Return where a file of a download lies below the folder of models."""
    return folder.joinpath(*download.repository.split("/"), *part.path.split("/"))


class Fetch:
    """One download on its way; `run` on one thread, everything else on any.

    Attributes:
        download: What is fetched.
        ended: Resolved by the queue once it is written down how it ended.
    """

    def __init__(
        self, download: Download, folder: Path, sender: Callable[[], Sender], throttle: Throttle
    ) -> None:
        """Name what is fetched, into which folder of models, from whom, and how fast at most."""
        self.download = download
        self.ended: Future[None] = Future()
        self._sender = sender
        self._throttle = throttle
        self._stop = threading.Event()
        self._awake = threading.Event()
        self._next_try: float | None = None
        self._reason = ""  # why it waits for that
        self._mirror = ""  # that was asked last
        self._speed = Speed()
        self._before = 0  # bytes of the files that are whole
        self._received = 0  # bytes that earlier tries have added
        self._transfer: Transfer | None = None
        self._wanted = [
            (part, Wanted(target_of(folder, download, part), part.size, part.sha256))
            for part in download.parts
        ]

    def stop(self) -> None:
        """End `run` soon; what has arrived stays."""
        self._stop.set()
        self._awake.set()
        if self._transfer is not None:
            self._transfer.stop()

    def try_now(self) -> None:
        """End the wait for the next try."""
        self._awake.set()

    def progress(self) -> Progress:
        """Return how far it is; asked a few times a second, it knows the speed."""
        transfer, now = self._transfer, time.monotonic()
        done = self._before + (transfer.done if transfer else 0)
        # Not of `done`, which jumps when a part that is here already is found.
        speed = self._speed.at(self._received + (transfer.received if transfer else 0), now)
        left = (self.download.size - done) / speed if speed > 0 else None
        next_try = self._next_try
        if next_try is None:
            return Progress(True, done, speed, left)
        return Progress(True, done, speed, left, max(0.0, next_try - now), self._reason)

    def run(self) -> bool:
        """Fetch all files; return whether they are there. False when it was stopped.

        Raises:
            HubError, TransferError: When trying again makes no sense.
        """
        for part, wanted in self._wanted:
            if not wanted.is_there(self._stop) and not self._fetch(part, wanted):
                return False
            self._received += self._transfer.received if self._transfer else 0
            self._before, self._transfer = self._before + part.size, None
        return not self._stop.is_set()

    def _fetch(self, part: RemotePart, wanted: Wanted) -> bool:
        failures = 0
        while not self._stop.is_set():
            if failures and wanted.is_there(self._stop):  # another download has brought it
                return True
            transfer = self._transfer = Transfer(wanted, self._throttle)
            if self._stop.is_set():  # `stop` may not have seen it
                return False
            before = wanted.part.stat().st_size if wanted.part.exists() else 0
            try:
                return transfer.run(self._open(part))
            except (BrokenOff, HubError) as error:
                failures = 0 if transfer.done > before else failures
                delay = _patience(error, failures)
                if delay is None:
                    raise
                failures += 1
                self._reason = _reason(error, self._mirror)
            except TransferError as error:
                if error.trouble is not Trouble.IN_USE:
                    raise
                failures, delay = 1, _IN_USE_SECONDS
                self._reason = _("This file is being downloaded already.")
            self._received += transfer.received
            transfer.received = 0
            self._wait(delay)
        return False

    def _open(self, part: RemotePart) -> Callable[[int], ByteSource]:
        download = self.download

        def open_at(start: int) -> ByteSource:
            hub = self._sender()
            self._mirror = hub.endpoint if hub.is_mirror else ""
            return hub.open(download.repository, download.commit, part.path, start, part.sha256)

        return open_at

    def _wait(self, seconds: float) -> None:
        self._next_try = time.monotonic() + seconds
        self._awake.wait(seconds)
        self._next_try = None
        if not self._stop.is_set():
            self._awake.clear()


def _reason(error: BrokenOff | HubError, mirror: str) -> str:
    if isinstance(error, BrokenOff):
        return _("The connection was lost.")
    return explain(error, mirror=mirror).message


def _patience(error: BrokenOff | HubError, failures: int) -> float | None:
    """Return the seconds to wait after so many failures before this one; None to give up."""
    delay = _DELAYS[min(failures, len(_DELAYS) - 1)] * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
    if isinstance(error, BrokenOff) or error.problem in _FOR_EVER:
        asked = error.retry_after if isinstance(error, HubError) else None
        return max(delay, min(asked or 0.0, _LONGEST_WAIT))
    return delay if error.problem in _A_WHILE and failures < _TRIES else None
