"""A file that a hub is sending, from some byte on."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from typing import NamedTuple, Self

import httpx2

from models_registry.hub.contacts import DONE, STOPPED, Purpose
from models_registry.hub.errors import HubError, HubProblem, about
from models_registry.hub.wire import Wire, refusal

_CHUNK = 256 << 10
# From here on, bytes go past the parser of HTTP, which is three times slower than the rest.
_DIRECT = 1 << 20
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Wanted(NamedTuple):
    """Some bytes of a file: from `start` to `stop`, or to the end when that is 0.

    Attributes:
        sha256: Of the whole file, as it was listed; empty when any content will do.
        purpose: Why it is wanted.
    """

    repository: str
    commit: str
    path: str
    start: int
    stop: int
    sha256: str = ""
    purpose: Purpose = Purpose.FILE


class _Answer(NamedTuple):
    """What a hub begins to send: bytes from `start` on, `length` of the file's `total`."""

    response: httpx2.Response
    etag: str
    start: int
    total: int
    length: int


class ByteSource:
    """A file on its way. One thread asks for it, reads and closes it; another one may close it at any time.

    The hub is asked at the first use of an attribute or of `chunks`. Whatever is used raises HubError when
    what comes is not the file, or not the bytes, that were asked for.
    """

    def __init__(self, wire: Wire, url: str, wanted: Wanted) -> None:
        """Name what is wanted; nothing is sent yet."""
        self._wire = wire
        self._url = url
        self._wanted = wanted
        self._visit = wire.contacts.visit(wanted.purpose)
        self._owner = threading.get_ident()
        self._lock = threading.Lock()
        self._asked = False
        self._ready = threading.Event()
        self._closed = False
        self._answer: _Answer | None = None
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def start(self) -> int:
        """Return where the bytes begin; 0 when the server cannot begin elsewhere."""
        return self._ask().start

    @property
    def total(self) -> int:
        """Return the bytes of the whole file."""
        return self._ask().total

    @property
    def etag(self) -> str:
        """Return what the hub says the content is: the sha256, for nearly all GGUF files."""
        return self._ask().etag

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes as they arrive, at most 256 KiB at once; no more after `close`.

        Raises:
            HubError: OFFLINE when the connection is lost, TIMEOUT when nothing comes, and all refusals.
        """
        try:
            with about(self._wanted.repository, self._wanted.path), self._visit, self._wire.explained():
                yield from self._received(self._ask())
                self._visit.end(STOPPED if self._closed else DONE)
        except HubError:
            if not self._closed:
                raise

    def close(self) -> None:
        """End it. From another thread, a wait for the answer or for bytes ends at once."""
        with self._lock:
            first, self._closed = not self._closed, True
            self._ready.set()
            if not self._answer:
                return
            self._visit.end(STOPPED)
            response = self._answer.response
            if threading.get_ident() == self._owner:
                response.close()
            elif first:
                stream = response.extensions["network_stream"]
                with contextlib.suppress(OSError):
                    # As of the socket itself, which for TLS would say goodbye first.
                    socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)

    def _ask(self) -> _Answer:
        """Return the answer; the first call asks for it, on a thread that nobody has to wait for."""
        if not self._asked and not self._closed:
            self._asked = True
            threading.Thread(target=self._receive_answer, name="hub", daemon=True).start()
        self._ready.wait()
        if self._error:
            raise self._error
        if not self._answer:
            raise HubError(HubProblem.OFFLINE, "it was closed before the answer came")
        return self._answer

    def _receive_answer(self) -> None:
        answer: _Answer | None = None
        try:
            with about(self._wanted.repository, self._wanted.path):
                answer = self._open()
        except Exception as error:  # raised where it is waited for
            self._error = error
        with self._lock:
            if self._closed and answer:
                answer.response.close()
                self._visit.end(STOPPED)
            else:
                self._answer = answer
            self._ready.set()

    def _open(self) -> _Answer:
        wanted, headers = self._wanted, self._wire.headers()
        if wanted.start or wanted.stop:
            headers["range"] = f"bytes={wanted.start}-{wanted.stop - 1 if wanted.stop else ''}"
        with self._visit:
            response = self._wire.stream(self._url, headers, self._visit)
            try:
                etag, linked = _identify(response, wanted)
                return _Answer(response, etag, *_extent(response, wanted.start, linked))
            except BaseException:
                response.close()
                raise

    def _received(self, answer: _Answer) -> Iterator[bytes]:
        left = answer.length
        parsed = answer.response.iter_raw()  # to be kept: when it is dropped, the response is closed
        for piece in parsed:
            left -= len(piece)
            self._note(len(piece), left)
            for at in range(0, len(piece), _CHUNK):
                yield piece[at : at + _CHUNK]
            if self._closed or left > _DIRECT:
                # The parser keeps nothing back: it hands on all that it has of a body of known length.
                break
        else:
            return
        stream = answer.response.extensions["network_stream"]
        while left and not self._closed:
            piece = stream.read(min(_CHUNK, left), timeout=self._wire.seconds)
            if not piece:
                raise HubError(HubProblem.OFFLINE, f"the connection ended {left} bytes too early")
            left -= len(piece)
            self._note(len(piece), left)
            yield piece

    def _note(self, received: int, left: int) -> None:
        """Note what has come; who reads may ask for no more after the last of it."""
        self._visit.receive(received)
        if not left:
            self._visit.end(DONE)


def _identify(response: httpx2.Response, wanted: Wanted) -> tuple[str, int | None]:
    """Return content and size as the hub states them on the way to the bytes.

    Raises:
        HubError: ANSWER when no hub was on the way, CHANGED for another commit or content, and all refusals.
    """
    if response.status_code >= 400:
        raise refusal(response)
    hub = next((each for each in (*response.history, response) if "x-repo-commit" in each.headers), None)
    if hub is None:
        raise HubError(HubProblem.ANSWER, "no X-Repo-Commit in the answer")
    found = hub.headers["x-repo-commit"]
    if found != wanted.commit:
        raise HubError(HubProblem.CHANGED, f"commit {found} instead of {wanted.commit}", wanted.path)
    etag = hub.headers.get("x-linked-etag", hub.headers.get("etag", ""))
    size = hub.headers.get("x-linked-size", "")
    etag = etag.removeprefix("W/").strip('"')
    if wanted.sha256 and _SHA256.fullmatch(etag) and etag != wanted.sha256:
        raise HubError(HubProblem.CHANGED, f"content {etag} instead of {wanted.sha256}", wanted.path)
    return etag, int(size) if size.isdecimal() else None


def _extent(response: httpx2.Response, start: int, linked: int | None) -> tuple[int, int, int]:
    """Return where the bytes begin, how many the whole file has, and how many are to come.

    Raises:
        HubError: ANSWER when the answer makes no sense.
    """
    headers = response.headers
    length = headers.get("content-length", "")
    if headers.get("content-encoding", "identity") != "identity" or not length.isdecimal():
        raise HubError(HubProblem.ANSWER, "the bytes are coded, or of no stated length")
    if response.status_code == 200:
        return 0, int(length), int(length)
    extent = _RANGE.fullmatch(headers.get("content-range", ""))
    total = int(extent[3]) if extent and extent[3] != "*" else linked
    if response.status_code != 206 or not extent or total is None:
        raise HubError(HubProblem.ANSWER, f"HTTP {response.status_code} with {headers.get('content-range')}")
    first, last = int(extent[1]), int(extent[2])
    if first != start or not first <= last < total or last - first + 1 != int(length):
        raise HubError(HubProblem.ANSWER, f"{extent[0]} with {length} bytes, from {start} on was asked")
    return first, total, int(length)
