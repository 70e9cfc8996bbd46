"""A hub: what is on it, what a person should know of it before fetching, and its bytes."""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from models_registry.header import Header
from models_registry.hub import listing, publisher, remote_header, search
from models_registry.hub.contacts import ContactLog, Purpose
from models_registry.hub.errors import HubError, HubProblem, about
from models_registry.hub.names import check_path, check_repository
from models_registry.hub.publisher import Publisher, PublisherRecord
from models_registry.hub.repository import RemoteFile, Repository, Variant
from models_registry.hub.search import Found, Query

if TYPE_CHECKING:
    from huggingface_hub import HfApi

    from models_registry.hub.source import ByteSource
    from models_registry.hub.wire import Wire

_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\r?\n.*?^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_LONGEST_CARD = 1 << 20
_MOST_REQUESTS = 5  # for one page of a search whose filters leave little


@dataclass(frozen=True, slots=True)
class Connection:
    """A hub that answers.

    Attributes:
        endpoint: Its address.
        is_mirror: Whether it is another one than the official hub.
        user: Whom the token belongs to; empty when none was sent.
        seconds: How long the answer took.
    """

    endpoint: str
    is_mirror: bool
    user: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Link:
    """Where a file is, and what it is.

    Attributes:
        url: Of the hub; it stays, while the place it leads to changes.
        etag: The sha256 of the content, for nearly all GGUF files.
        size: In bytes; None when the hub does not say.
    """

    url: str
    commit: str
    etag: str
    size: int | None


class _Cancelled(Exception):
    """The caller does not want it any more."""


class Hub:
    """The official hub or a mirror of it. Threads may share it; each call waits for the network.

    Every method raises HubError, with any problem that its answer can have. Nothing is tried twice, and
    nothing waits longer than `patience` without a byte. Nothing is written to the disk.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        token: str | None = None,
        proxy: str | None = None,
        token_for_mirror: bool = False,
        patience: float = 15.0,
        contacts: ContactLog | None = None,
    ) -> None:
        """Name a hub; nothing is sent yet.

        Args:
            endpoint: Its address; None for the usual one.
            token: Who asks. It is sent to this hub alone, never to where its links lead.
            proxy: "http://…", "socks5://…" or "socks5h://…"; None for what the system says.
            token_for_mirror: Whether the token may go to another hub than the official one.
            patience: Seconds in which at least one byte must come.
            contacts: Where each request is noted.

        Raises:
            HubError: ADDRESS.
        """
        self._stated = _address(endpoint) if endpoint else ""
        self._token = token or ""
        self._proxy = proxy or ""
        self._token_for_mirror = token_for_mirror
        self._patience = patience
        self._contacts = contacts or ContactLog()
        self._lock = threading.Lock()
        self._opened: Wire | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; those that are in use end."""
        with self._lock:
            if self._opened:
                self._opened.close()

    @property
    def _wire(self) -> "Wire":
        with self._lock:
            if not self._opened:
                self._opened = self._new_wire()
            return self._opened

    def _new_wire(self) -> "Wire":
        from models_registry.hub.wire import OFFICIAL, USUAL, Wire, origin

        endpoint = self._stated or _address(USUAL)
        parts = urlsplit(endpoint)
        private = parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost", "::1")
        allowed = private and (origin(endpoint) == origin(OFFICIAL) or self._token_for_mirror)
        return Wire(endpoint, self._token if allowed else "", self._proxy, self._patience, self._contacts)

    @property
    def endpoint(self) -> str:
        """Return the address of the hub."""
        return self._stated or self._wire.endpoint

    @property
    def is_mirror(self) -> bool:
        """Return whether this is another hub than the official one."""
        from models_registry.hub.wire import OFFICIAL, origin

        return origin(self.endpoint) != origin(OFFICIAL)

    @property
    def sends_token(self) -> bool:
        """Return whether there is a token that goes to this hub: never without encryption over a network."""
        return bool(self._wire.token)

    def page_of(self, name: str) -> str:
        """Return the address of a repository's page, for a browser."""
        return f"{self.endpoint}/{name}"

    def test_connection(self) -> Connection:
        """Ask the hub for the least that it can answer, and whom the token belongs to."""
        began = time.monotonic()
        with self._about(self.endpoint, purpose=Purpose.TEST) as api:
            user = str(api.whoami()["name"]) if self.sends_token else ""
            if not user:
                list(api.list_models(filter="gguf", limit=1))
        return Connection(self.endpoint, self.is_mirror, user, time.monotonic() - began)

    def search(self, query: Query, page_size: int = 30) -> Iterator[tuple[Found, ...]]:
        """Yield what is found, page by page; each page is asked for when it is wanted.

        A page may have fewer entries than `page_size`, even none, where the hub knows less of what is wanted
        than we do; the last one is the one after which the iterator ends.
        """
        with self._about(query.text, purpose=Purpose.SEARCH) as api:
            entries = search.ask(api, query, page_size)
        while True:
            page: list[Found] = []
            for _ in range(_MOST_REQUESTS):
                with self._about(query.text, purpose=Purpose.SEARCH):
                    batch = list(islice(entries, page_size))
                page += [each for each in batch if each and query.fits(each)]
                if len(page) >= page_size or len(batch) < page_size:
                    break
            yield tuple(page)
            if len(batch) < page_size:
                return

    def repository(self, name: str, revision: str | None = None) -> Repository:
        """Return what the hub says of a repository, with all its models, at one commit.

        Args:
            name: "maker/name".
            revision: A branch, tag or commit; None for the usual branch.
        """
        check_repository(name)
        with self._about(name) as api:
            return listing.read(api, name, revision or "")

    def card(self, repository: Repository) -> str:
        """Return the description of a repository, as Markdown that nobody checked, at most 1 MiB.

        Empty when there is none, or when it is not shown to everyone.
        """
        try:
            text = self._read(repository.name, repository.commit, "README.md")
        except HubError as error:
            if error.problem in (HubProblem.NO_SUCH_FILE, HubProblem.GATED):
                return ""
            raise
        return _FRONT_MATTER.sub("", text.decode(errors="replace"), count=1).strip()

    def publisher(self, name: str) -> Publisher:
        """Return what the hub says of an organization or a person that publishes models."""
        check_path(name)
        with self._about(name) as api:
            return publisher.read(api, name)

    def publisher_record(self, name: str) -> PublisherRecord:
        """Return since when somebody publishes, and how often their models are downloaded."""
        check_path(name)
        with self._about(name) as api:
            return publisher.read_record(api, name)

    def header(
        self, repository: Repository, variant: Variant, cancelled: Callable[[], bool] = lambda: False
    ) -> Header | None:
        """Read the header of a model without fetching the model: a few ranges of its files.

        Returns:
            The same as for the files on this computer, but for the paths, which are those in the repository;
            None when `cancelled` said so.

        Raises:
            ModelFileError: When it is not a model that can be used.
        """

        def fetch(file: RemoteFile, start: int, stop: int) -> bytes:
            return self._range(repository, file, start, stop, cancelled)

        try:
            return remote_header.read(variant, fetch)
        except _Cancelled:
            return None

    def link(self, repository: str, commit: str, path: str) -> Link:
        """Return where a file is, and what it is, as the hub says now."""
        from huggingface_hub import get_hf_file_metadata

        url = self._url(repository, commit, path)
        with self._about(repository, path, purpose=Purpose.FILE):
            found = get_hf_file_metadata(url, headers=self._wire.headers(), endpoint=self.endpoint)
        if not found.commit_hash or not found.etag:
            raise HubError(HubProblem.ANSWER, "no commit or no content is stated", path)
        return Link(url, found.commit_hash, found.etag, found.size)

    def open(self, repository: str, commit: str, path: str, start: int = 0, sha256: str = "") -> "ByteSource":
        """Return a file to be received, from the byte `start` on.

        The hub is asked when the source is asked for something, and each time anew where the file is.

        Args:
            repository: "maker/name".
            commit: 40 hexadecimal digits.
            path: In the repository.
            start: At most the file's size less one.
            sha256: What was listed: another content is refused before any of it is taken.
        """
        return self._open(repository, commit, path, start, 0, sha256)

    def _open(
        self,
        repository: str,
        commit: str,
        path: str,
        start: int,
        stop: int,
        sha256: str = "",
        purpose: Purpose = Purpose.FILE,
    ) -> "ByteSource":
        from models_registry.hub.source import ByteSource, Wanted

        url = self._url(repository, commit, path)
        wanted = Wanted(repository, commit, path, start, stop, sha256, purpose)
        return ByteSource(self._wire, url, wanted)

    def _url(self, repository: str, commit: str, path: str) -> str:
        check_repository(repository)
        check_path(path)
        from huggingface_hub import hf_hub_url

        return hf_hub_url(repository, path, revision=commit, endpoint=self.endpoint)

    def _read(self, repository: str, commit: str, path: str) -> bytes:
        """Return a small file, its first 1 MiB."""
        source = self._open(repository, commit, path, 0, 0, purpose=Purpose.PAGE)
        with source:
            text = bytearray()
            for chunk in source.chunks():
                text += chunk
                if len(text) >= _LONGEST_CARD:
                    break
            return bytes(text[:_LONGEST_CARD])

    def _range(
        self, repository: Repository, file: RemoteFile, start: int, stop: int, cancelled: Callable[[], bool]
    ) -> bytes:
        """Return the bytes of a file from `start` to `stop`, wherever the server begins."""
        if cancelled():
            raise _Cancelled
        source = self._open(
            repository.name, repository.commit, file.path, start, stop, purpose=Purpose.HEADER
        )
        with source, about(repository.name, file.path):
            if source.total != file.size:
                raise HubError(HubProblem.CHANGED, f"{source.total} bytes instead of {file.size}")
            skipped, received = start - source.start, bytearray()
            for chunk in source.chunks():
                if cancelled():
                    raise _Cancelled
                received += chunk[skipped:]
                skipped = max(0, skipped - len(chunk))
                if len(received) >= stop - start:
                    return bytes(received[: stop - start])
            raise HubError(HubProblem.OFFLINE, f"the connection ended after {len(received)} bytes")

    @contextlib.contextmanager
    def _about(self, subject: str, path: str = "", *, purpose: Purpose = Purpose.PAGE) -> "Iterator[HfApi]":
        with about(subject, path), self._wire.api(purpose) as api:
            yield api


def _address(text: str) -> str:
    """Return an address as requests begin with it; one without "https://" gets it.

    Raises:
        HubError: ADDRESS.
    """
    stated = text.strip() if "://" in text else f"https://{text.strip()}"
    try:
        parts = urlsplit(stated)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound or parts.query or parts.fragment or parts.username or " " in stated:
        raise HubError(HubProblem.ADDRESS, f"{text!r} is not the address of a hub", text)
    return stated.rstrip("/")
