"""A file that a hub is sending, from some byte on."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from typing import Self

import httpx2

from models_registry.hub.errors import HubError, HubProblem
from models_registry.hub.wire import Wire, refusal

_CHUNK = 256 << 10
# From here on, bytes go past the parser of HTTP, which is three times slower than the rest.
_DIRECT = 1 << 20
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class ByteSource:
    """A file on its way. One thread opens, reads and closes it; another one may close it too.

    Attributes:
        total: Bytes of the whole file.
        start: Where the bytes really begin; 0 when the server cannot begin elsewhere.
        etag: What the hub says the content is: the sha256, for nearly all GGUF files.
        commit: Where it is from.
    """

    def __init__(self, wire: Wire, url: str, commit: str, path: str, start: int = 0, stop: int = 0) -> None:
        """Ask for the bytes from `start` to `stop` (0: the end), and wait for the answer.

        Raises:
            HubError: When it is not the file, or not the bytes, that were asked for.
        """
        headers = wire.headers()
        if start or stop:
            headers["range"] = f"bytes={start}-{stop - 1 if stop else ''}"
        self._wire = wire
        self._owner = threading.get_ident()
        self._lock = threading.Lock()
        self._closed = False
        self._response = wire.stream(url, headers)
        try:
            self.commit, self.etag, linked = _identify(self._response, commit, path)
            self.start, self.total, self._left = _extent(self._response, start, linked)
        except BaseException:
            self._response.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes as they arrive, at most 256 KiB at once; no more after `close`.

        Raises:
            HubError: OFFLINE when the connection is lost, TIMEOUT when nothing comes.
        """
        try:
            with self._wire.explained():
                yield from self._received()
        except HubError:
            if not self._closed:
                raise

    def close(self) -> None:
        """End it. From another thread, a wait for bytes ends at once."""
        with self._lock:
            if threading.get_ident() == self._owner:
                self._closed = True
                self._response.close()
            elif not self._closed:
                self._closed = True
                stream = self._response.extensions["network_stream"]
                with contextlib.suppress(OSError):
                    # As of the socket itself, which for TLS would say goodbye first.
                    socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)

    def _received(self) -> Iterator[bytes]:
        parsed = self._response.iter_raw()  # to be kept: when it is dropped, the response is closed
        for piece in parsed:
            self._left -= len(piece)
            for at in range(0, len(piece), _CHUNK):
                yield piece[at : at + _CHUNK]
            if self._closed or self._left > _DIRECT:
                # The parser keeps nothing back: it hands on all that it has of a body of known length.
                break
        else:
            return
        stream = self._response.extensions["network_stream"]
        while self._left and not self._closed:
            piece = stream.read(min(_CHUNK, self._left), timeout=self._wire.seconds)
            if not piece:
                raise HubError(HubProblem.OFFLINE, f"the connection ended {self._left} bytes too early")
            self._left -= len(piece)
            yield piece


def _identify(response: httpx2.Response, commit: str, path: str) -> tuple[str, str, int | None]:
    """Return commit, content and size as the hub states them on the way to the bytes.

    Raises:
        HubError: ANSWER when no hub was on the way, CHANGED when it is another commit, and all refusals.
    """
    if response.status_code >= 400:
        raise refusal(response)
    hub = next((each for each in (*response.history, response) if "x-repo-commit" in each.headers), None)
    if hub is None:
        raise HubError(HubProblem.ANSWER, "no X-Repo-Commit in the answer")
    found = hub.headers["x-repo-commit"]
    if found != commit:
        raise HubError(HubProblem.CHANGED, f"commit {found} instead of {commit}", path)
    etag = hub.headers.get("x-linked-etag", hub.headers.get("etag", ""))
    size = hub.headers.get("x-linked-size", "")
    return found, etag.removeprefix("W/").strip('"'), int(size) if size.isdecimal() else None


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
