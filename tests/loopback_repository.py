"""What a stand-in hub holds, what goes wrong with it, and what it was asked."""

import hashlib
import json
import mmap
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

GOOD_TOKEN = "hf_good"
"""Belongs to "ada", who was given access to every gated repository."""
STRANGER_TOKEN = "hf_stranger"
"""Belongs to "bob", who has access to none of them."""

_SLICE = 4 << 20
# A prime, so that bytes written to a wrong place differ.
_PERIOD = 8_388_593


class Seeded:
    """A file of any size that takes 16 MiB of memory: its bytes follow from `seed`.

    Attributes:
        head: What it begins with, such as the header of a GGUF file.
        size: Bytes in all.
    """

    def __init__(self, size: int, seed: int = 0, head: bytes = b"") -> None:
        self.size = size
        self.head = head
        block = random.Random(seed).randbytes(_PERIOD)
        self._twice = memoryview(block + block[:_SLICE])

    def slices(self, start: int, stop: int) -> Iterator[memoryview]:
        """Yield the bytes from `start` to `stop`, at most 4 MiB at once."""
        while start < stop:
            if start < len(self.head):
                piece = memoryview(self.head)[start : min(stop, len(self.head), start + _SLICE)]
            else:
                at = start % _PERIOD
                piece = self._twice[at : at + min(_SLICE, stop - start)]
            yield piece
            start += len(piece)

    @cached_property
    def sha256(self) -> str:
        """Return the sha256 of all bytes; computed once, at 1 to 2 GB/s."""
        digest = hashlib.sha256()
        for piece in self.slices(0, self.size):
            digest.update(piece)
        return digest.hexdigest()


class Whole:
    """A file whose bytes are all there: in memory, or on the disk and mapped."""

    def __init__(self, content: bytes | Path) -> None:
        if isinstance(content, Path):
            with content.open("rb") as file:
                self._view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        else:
            self._view = memoryview(content)
        self.size = len(self._view)

    def slices(self, start: int, stop: int) -> Iterator[memoryview]:
        for at in range(start, stop, _SLICE):
            yield self._view[at : min(at + _SLICE, stop)]

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self._view).hexdigest()


Content = Seeded | Whole


@dataclass
class Fault:
    """Something that goes wrong, for the requests it fits, in the order of `LoopbackHub.faults`.

    Attributes:
        kind: "cut": the connection is closed after `at` bytes of the body.
            "stall": nothing more comes after `at` bytes, for `seconds`.
            "wrong": 64 bytes from the file's offset `at` on are others; the size is right.
            "ignore_range": the whole file comes with status 200.
            "status": `status` and `headers` are the answer (`origin` "hub" or "cdn").
            "slow": the body comes at `rate` bytes a second.
            "size_lie": API and links state a size of `at` bytes more than there are.
            "hash_lie": API and links state another sha256.
        "commit_lie": the link states another commit than the one asked for.
            "redirect_loop": the link leads to itself.
            "refuse": the connection is reset before an answer.
            "etag": the CDN states another ETag, as when the file was replaced.
            "range_lie": the bytes come from `at` bytes further on than the Content-Range says.
            "nonsense": a page of HTML with status 200 instead of the answer.
            "spoil": one value in the JSON of the API is a strange one, which one and how follows from `at`.
            "flood": JSON without end instead of the answer.
        file: Ends the path of the request or of the file; empty for all.
        method: "GET", "HEAD", "POST"; empty for all.
        origin: "hub", "cdn" or empty for both. Bodies of large files come from "cdn".
        path: A regular expression that is searched in the path of the request.
        times: How many requests it spoils, -1 for all.
    """

    kind: str
    at: int = 0
    seconds: float = 60.0
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    rate: int = 50_000
    file: str = ""
    method: str = ""
    origin: str = ""
    path: str = ""
    times: int = -1


@dataclass
class Request:
    """One request that arrived, with what was answered.

    Attributes:
        headers: By lower-case name.
        status: 0 while there is no answer, or when the connection was dropped without one.
        sent: Bytes of the body that were handed to the system.
        file: "maker/Model-GGUF/model.gguf" where it was about a file.
    """

    origin: str
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    at: float
    status: int = 0
    sent: int = 0
    file: str = ""


@dataclass
class Repository:
    """A repository with its history; the last commit is the one that "main" and "" name.

    Attributes:
        facts: What the API says of it beyond files and commits, by the API's own names.
        scans: `securityFileStatus` by path.
        readers: Tokens that may read its files when it is gated or private.
    """

    name: str
    commits: dict[str, dict[str, Content]]
    facts: dict[str, Any]
    gated: bool | str = False
    private: bool = False
    scans: dict[str, str] = field(default_factory=dict)
    readers: set[str] = field(default_factory=lambda: {GOOD_TOKEN})
    branches: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> str:
        """Return the last commit."""
        return self.branches["main"]

    def commit_of(self, revision: str) -> str | None:
        """Return the commit that `revision` names, None when there is none."""
        commit = self.branches.get(revision or "main", revision)
        return commit if commit in self.commits else None


STRANGE = (None, True, -1, 1.5, 10**30, "", "../..", "\0", [], [None], {}, {"a": [1]}, "x" * 5000)


def spoil(answer: Any, seed: int) -> Any:
    """Return a copy of JSON data in which one value is replaced by a strange one, or is missing."""
    chance = random.Random(seed)
    copy = json.loads(json.dumps(answer))
    places: list[tuple[Any, Any]] = []
    heap = [copy]
    while heap:
        each = heap.pop()
        keys = list(each) if isinstance(each, dict) else range(len(each)) if isinstance(each, list) else ()
        places += [(each, key) for key in keys]
        heap += [each[key] for key in keys]
    if not places:
        return chance.choice(STRANGE)
    holder, key = chance.choice(places)
    if isinstance(holder, dict) and chance.random() < 0.2:
        del holder[key]
    else:
        holder[key] = chance.choice(STRANGE)
    return copy


def fits(fault: Fault, request: Request) -> bool:
    return (
        fault.origin in ("", request.origin)
        and fault.method in ("", request.method)
        and (request.file or request.path).endswith(fault.file)
        and bool(re.search(fault.path, request.path))
    )
