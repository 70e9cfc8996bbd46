"""A stand-in for the hub of models: two origins on 127.0.0.1 that answer the real client, and every fault.

The first origin, "hub", has the API and the links; the second, "cdn", has the bytes of large files, behind
signed links. Routes, headers and errors are those that huggingface_hub reads.

    with LoopbackHub() as hub:
        hub.add("maker/Model-GGUF", {"model-Q4_K_M.gguf": path, "README.md": b"# A model"})
        hub.faults.append(Fault("cut", at=70_000))
        Hub(hub.endpoint)...
        assert not hub.trapped and not hub.violations
"""

import contextlib
import hashlib
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from loopback_origins import CdnHandler, HubHandler, Server, reset
from loopback_repository import (
    GOOD_TOKEN,
    STRANGER_TOKEN,
    Content,
    Fault,
    Repository,
    Request,
    Seeded,
    Whole,
    fits,
)

__all__ = ["GOOD_TOKEN", "STRANGER_TOKEN", "Fault", "LoopbackHub", "Repository", "Request", "Seeded", "Whole"]


class LoopbackHub:
    """The hub, from `with` to the end of the block. A mirror is a second one.

    Attributes:
        requests: Every request, in the order of arrival.
        faults: What goes wrong, to be appended to at any time.
        trapped: Requests to routes that nothing of ours may ever touch.
        violations: What should not have happened, such as a token at the CDN.
        users: The name that each token belongs to.
        page: Most entries of a page, whatever is asked for.
        publishers: What the API says of one by name; `"kind": "users"` is a person's, else an organization's.
        pages_at: The address that links to next pages begin with; a mirror hands on the official one.
        link_uses: How often a signed link works, None for ever.
        before: Called with each request before it is answered, in the thread that answers it.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.trapped: list[Request] = []
        self.violations: list[str] = []
        self.users = {GOOD_TOKEN: "ada", STRANGER_TOKEN: "bob"}
        self.page = 1000
        self.publishers: dict[str, dict[str, Any]] = {}
        self.pages_at = ""
        self.link_uses: int | None = None
        self.before: Callable[[Request], None] | None = None
        self.repositories: dict[str, Repository] = {}
        self.closing = threading.Event()
        self.dark = threading.Event()
        self.lock = threading.Lock()
        self.links: dict[str, int] = {}
        self._connections: set[socket.socket] = set()
        self._servers = {"hub": Server(self, HubHandler), "cdn": Server(self, CdnHandler)}
        self.endpoint, self.cdn = (f"http://127.0.0.1:{each.server_port}" for each in self._servers.values())

    def __enter__(self) -> "LoopbackHub":
        for server in self._servers.values():
            threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        for server in self._servers.values():
            server.shutdown()
            server.server_close()
        self._drop_connections()

    def add(
        self,
        name: str,
        files: Mapping[str, bytes | Path | Content],
        *,
        gated: bool | str = False,
        private: bool = False,
        scans: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> Repository:
        """Add a repository "maker/Name" with one commit.

        Args:
            files: By path.
            scans: By path: "safe", "unsafe", "suspicious", "queued".
            facts: By the names of the API: downloads, likes, tags, lastModified, createdAt, gguf, cardData,
                author, trendingScore, downloadsAllTime, baseModels, pipeline_tag.
        """
        usual = {
            "author": name.split("/", maxsplit=1)[0],
            "createdAt": "2026-01-02T03:04:05.000Z",
            "lastModified": "2026-03-04T05:06:07.000Z",
            "downloads": 0,
            "likes": 0,
            "tags": ["gguf"],
        }
        repository = Repository(name, {}, usual | facts, gated, private, dict(scans or {}))
        self.repositories[name] = repository
        self.push(name, files)
        return repository

    def push(self, name: str, files: Mapping[str, bytes | Path | Content], *, rewrite: bool = False) -> str:
        """Replace all files by a new commit on "main" and return it; `rewrite` forgets the old commits."""
        repository = self.repositories[name]
        contents = {
            path: Whole(content) if isinstance(content, bytes | Path) else content
            for path, content in files.items()
        }
        if rewrite:
            repository.commits.clear()
        number = len(repository.commits) + (1000 if rewrite else 0)
        commit = hashlib.sha1(f"{name} {number} {sorted(contents)}".encode()).hexdigest()
        repository.commits[commit] = contents
        repository.branches["main"] = commit
        return commit

    def sha256(self, name: str, path: str) -> str:
        """Return the sha256 of a file as it is now."""
        repository = self.repositories[name]
        return repository.commits[repository.head][path].sha256

    def of(self, origin: str = "", method: str = "", path: str = "") -> list[Request]:
        """Return the requests with this origin, method and regular expression in their path."""
        with self.lock:
            return [
                each
                for each in self.requests
                if origin in ("", each.origin) and method in ("", each.method) and re.search(path, each.path)
            ]

    def sent(self, file: str = "") -> int:
        """Return how many bytes of files the CDN sent, of all or of those whose name ends with `file`."""
        return sum(each.sent for each in self.of("cdn") if each.file.endswith(file))

    def go_dark(self) -> None:
        """Lose the network: drop every connection and each new one, until `come_back`."""
        self.dark.set()
        self._drop_connections()

    def come_back(self) -> None:
        """End `go_dark`."""
        self.dark.clear()

    @contextlib.contextmanager
    def darkness(self) -> Iterator[None]:
        """Lose the network for the length of the block."""
        self.go_dark()
        try:
            yield
        finally:
            self.come_back()

    def take_fault(self, request: Request, *kinds: str) -> Fault | None:
        """Return the first fault of these kinds that fits, used up by one time."""
        with self.lock:
            for fault in self.faults:
                if fault.times and fault.kind in kinds and fits(fault, request):
                    fault.times -= fault.times > 0
                    return fault
        return None

    def arrived(self, request: Request) -> None:
        """Keep a request, and act on it where a test said so."""
        with self.lock:
            self.requests.append(request)
        if self.before:
            self.before(request)

    def opened(self, connection: socket.socket) -> None:
        """Know an open connection."""
        with self.lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self.lock:
            self._connections.discard(connection)

    def _drop_connections(self) -> None:
        with self.lock:
            connections = list(self._connections)
        for connection in connections:
            reset(connection)
