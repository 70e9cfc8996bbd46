"""The two origins of the stand-in hub: the API with small files and links, and the bytes of large files."""

import contextlib
import hashlib
import json
import re
import socket
import struct
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from loopback_repository import Content, Fault, Repository, Request, spoil

if TYPE_CHECKING:
    from loopback_hub import LoopbackHub

# Files from this size on lie at the CDN, and GGUF always does.
_LARGE = 1 << 20


def reset(connection: socket.socket) -> None:
    """End a connection at once, as a lost network does: what was not read is lost."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)


class Server(ThreadingHTTPServer):
    """One origin: a thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, hub: "LoopbackHub", handler: type["_Handler"]) -> None:
        self.hub = hub
        super().__init__(("127.0.0.1", 0), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away, and all of what is wrong here."""
        if not isinstance(sys.exception(), OSError):
            self.hub.violations.append(traceback.format_exc())

    def process_request(self, request: Any, client_address: Any) -> None:
        if self.hub.dark.is_set():
            reset(request)
            self.close_request(request)
        else:
            super().process_request(request, client_address)


class _End(Exception):
    """The connection ends here: what was sent before still arrives."""


class _Handler(BaseHTTPRequestHandler):
    """What both origins share: one request, one answer, recorded."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    origin = ""
    server: Server
    request_seen: Request

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def setup(self) -> None:
        super().setup()
        self.hub = self.server.hub
        self.hub.opened(self.connection)

    def finish(self) -> None:
        self.hub.closed(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        self._respond()

    def do_HEAD(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def _respond(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.form = parse_qs(self.rfile.read(int(headers.get("content-length", 0))).decode())
        self.request_seen = request = Request(
            self.origin, self.command, unquote(parts.path), parse_qs(parts.query), headers, time.monotonic()
        )
        request.file = self.file_of(request)
        self.hub.arrived(request)
        try:
            if self.hub.take_fault(request, "refuse"):
                self._drop()
            elif fault := self.hub.take_fault(request, "status"):
                self.error(fault.status, "", "This is a fault.", fault.headers)
            elif self.hub.take_fault(request, "nonsense"):
                self.reply(200, b"<html>Log in to the hotel's network</html>", {"Content-Type": "text/html"})
            elif self.hub.take_fault(request, "flood"):
                self._flood()
            else:
                self.answer(request)
        except _End:
            self.close_connection = True
        except OSError:
            self._drop()

    def _flood(self) -> None:
        self.request_seen.status = 200
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.close_connection = True
        block = memoryview(b"[" * _LARGE)
        while not self.hub.closing.is_set():
            self._push(block)

    def _drop(self) -> None:
        self.close_connection = True
        reset(self.connection)

    def file_of(self, request: Request) -> str:
        """Return the file that a request is about."""
        return ""

    def answer(self, request: Request) -> None:
        """Answer a request that no fault took."""
        raise NotImplementedError

    def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send an answer that is in memory."""
        self.request_seen.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def json(self, answer: Any, headers: Mapping[str, str] | None = None) -> None:
        """Send an answer as JSON."""
        if fault := self.hub.take_fault(self.request_seen, "spoil"):
            answer = spoil(answer, fault.at)
        known = {"Content-Type": "application/json"} | dict(headers or {})
        self.reply(200, json.dumps(answer).encode(), known)

    def error(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Send an error the way the hub does."""
        body = json.dumps({"error": message}).encode()
        known = {"X-Error-Code": code} if code else {}
        kind = {"Content-Type": "application/json", "X-Error-Message": message}
        self.reply(status, body, kind | known | dict(headers or {}))

    def send_content(self, content: Content, headers: dict[str, str]) -> None:
        """Send a file or the range of it that was asked for, with the faults that concern bytes."""
        request, take = self.request_seen, self.hub.take_fault
        start, stop = 0, content.size
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if wanted and request.method == "GET" and not take(request, "ignore_range"):
            start = int(wanted[1])
            stop = min(stop, int(wanted[2]) + 1) if wanted[2] else stop
            if start >= content.size:
                self.error(416, "", "Range Not Satisfiable", {"Content-Range": f"bytes */{content.size}"})
                return
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
        request.status = 206 if "Content-Range" in headers else 200
        self.send_response(request.status)
        for name, value in {"Accept-Ranges": "bytes", "Content-Length": str(stop - start), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if request.method != "HEAD":
            lie = take(request, "range_lie")
            shift = lie.at if lie else 0
            self._send_slices(content.slices(start + shift, min(stop + shift, content.size)), start)

    def _send_slices(self, slices: Iterable[memoryview], start: int) -> None:
        request, take = self.request_seen, self.hub.take_fault
        wrong, slow = take(request, "wrong"), take(request, "slow")
        end = take(request, "cut", "stall")
        for piece in slices:
            at = start + request.sent
            part: memoryview | bytearray = piece
            if wrong and at <= wrong.at < at + len(piece):
                part = bytearray(piece)
                spoiled = slice(wrong.at - at, wrong.at - at + 64)
                part[spoiled] = bytes(byte ^ 0x5A for byte in part[spoiled])
            if end and request.sent + len(part) >= end.at:
                self._send(part[: end.at - request.sent], slow)
                if end.kind == "stall":
                    self.hub.closing.wait(end.seconds)
                raise _End
            self._send(part, slow)

    def _send(self, part: memoryview | bytearray, slow: Fault | None) -> None:
        if not slow:
            self._push(part)
            return
        step = max(slow.rate // 20, 1)
        for at in range(0, len(part), step):
            if self.hub.closing.wait(step / slow.rate):
                raise _End
            self._push(part[at : at + step])

    def _push(self, part: memoryview | bytearray) -> None:
        """Send bytes and count those that the system took, also when the client goes away."""
        view = memoryview(part)
        while view:
            self.request_seen.sent += len(view)  # before, as they may be counted as soon as they arrive
            count = 0
            try:
                count = self.connection.send(view)
            finally:
                self.request_seen.sent -= len(view) - count
            view = view[count:]


class CdnHandler(_Handler):
    """The second origin: bytes behind signed links."""

    origin = "cdn"

    def file_of(self, request: Request) -> str:
        return request.path.split("//", 1)[-1].replace("//", "/")

    def answer(self, request: Request) -> None:
        hub = self.hub
        if "authorization" in request.headers:
            hub.violations.append(f"a token at the CDN: {request.path}")
        if cookies := request.headers.get("cookie"):
            hub.violations.append(f"a cookie at the CDN: {cookies}")
        signature = request.query.get("Signature", [""])[0]
        with hub.lock:
            uses = hub.links.get(signature, -1)
            hub.links[signature] = uses + 1
        if uses < 0 or (hub.link_uses is not None and uses >= hub.link_uses):
            self.error(403, "", "Request has expired")
            return
        commit, name, path = request.path.removeprefix("/blob/").split("//")
        content = hub.repositories[name].commits[commit][path]
        etag = "0" * 64 if hub.take_fault(request, "etag") else content.sha256
        self.send_content(content, {"ETag": f'"{etag}"', "Content-Type": "application/octet-stream"})


_TRAPS = re.compile(r"^/api/(agent-harnesses|telemetry)|/xet-read-token/|/xet-write-token/")
_MODEL = re.compile(r"^/api/models/(?P<name>[^/]+/[^/]+)(?:/(?P<what>[a-z-]+)(?:/(?P<revision>[^/]+))?)?$")
_PUBLISHER = re.compile(r"^/api/(?P<kind>users|organizations)/(?P<name>[^/]+)/overview$")
_FILE = re.compile(r"^/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)$")


class HubHandler(_Handler):
    """The first origin: the API, small files, and links to the large ones."""

    origin = "hub"

    @property
    def token(self) -> str:
        """Return the token of the request, empty without one."""
        return self.request_seen.headers.get("authorization", "").removeprefix("Bearer ")

    def file_of(self, request: Request) -> str:
        found = _FILE.match(request.path)
        return f"{found['name']}/{found['path']}" if found else ""

    def answer(self, request: Request) -> None:
        if _TRAPS.search(request.path):
            self.hub.trapped.append(request)
            self.error(404, "", "A trap")
        elif self.token and self.token not in self.hub.users:
            self.error(401, "", "Invalid credentials in Authorization header")
        elif request.path == "/api/whoami-v2":
            self._whoami()
        elif request.path == "/api/models":
            self._list(request)
        elif found := _PUBLISHER.match(request.path):
            self._publisher(found["kind"], found["name"])
        elif found := _FILE.match(request.path):
            self._resolve(request, found)
        elif found := _MODEL.match(request.path):
            self._model(request, found)
        else:
            self.error(404, "", "No such route")

    def _whoami(self) -> None:
        if not self.token:
            self.error(401, "", "Invalid username or password.")
        else:
            role = {"accessToken": {"displayName": "fireside", "role": "read"}}
            self.json({"type": "user", "name": self.hub.users[self.token], "orgs": [], "auth": role})

    def _publisher(self, kind: str, name: str) -> None:
        facts = self.hub.publishers.get(name, {"kind": ""})
        if facts.get("kind", "organizations") == kind:
            self.json({"name": name, "user": name, "fullname": name} | facts)
        else:
            self.error(404, "", "This organization or user does not exist")

    def _page(self, entries: list[Any], most: int) -> None:
        """Send the page of `entries` that the cursor names, with a link to the next one."""
        start = int(self.request_seen.query.get("cursor", ["0"])[0])
        most = min(most, self.hub.page)
        headers = {}
        if start + most < len(entries):
            query = self.request_seen.query | {"cursor": [str(start + most)]}
            path = f"{quote(self.request_seen.path)}?{urlencode(query, doseq=True)}"
            url = f"{self.hub.pages_at or self.hub.endpoint}{path}"
            headers["Link"] = f'<{url}>; rel="next"'
        self.json(entries[start : start + most], headers)

    def _list(self, request: Request) -> None:
        query = {name: values[-1] for name, values in request.query.items()}
        found = [
            each
            for each in self.hub.repositories.values()
            if not each.private and _is_wanted(each, query, request.query.get("filter", []))
        ]
        sort = query.get("sort", "trendingScore")
        found.sort(key=lambda each: each.facts.get(sort, 0), reverse=True)
        expand = request.query.get("expand")
        self._page([self._facts(each, each.head, expand) for each in found], int(query.get("limit", 1000)))

    def _facts(self, repository: Repository, commit: str, expand: list[str] | None) -> dict[str, Any]:
        """Return what the API says of a repository, reduced to `expand` where that is given."""
        facts = repository.facts | {
            "private": repository.private,
            "gated": repository.gated,
            "disabled": False,
            "sha": commit,
            "siblings": [{"rfilename": path} for path in repository.commits[commit]],
        }
        if expand:
            facts = {name: value for name, value in facts.items() if name in expand}
        return facts | {"_id": hashlib.md5(repository.name.encode()).hexdigest()[:24], "id": repository.name}

    def _readable(self, name: str) -> Repository | None:
        """Return the repository, or answer that there is none for this visitor."""
        repository = self.hub.repositories.get(name)
        if repository and not (repository.private and self.token not in repository.readers):
            return repository
        if self.token:
            self.error(404, "RepoNotFound", "Repository not found")
        else:
            self.error(401, "RepoNotFound", "Invalid username or password.")
        return None

    def _refused(self, repository: Repository) -> bool:
        """Answer that the files are gated, where they are for this visitor."""
        if not repository.gated or self.token in repository.readers:
            return False
        message = f"Access to model {repository.name} is restricted: ask for it and be authenticated."
        self.error(403 if self.token else 401, "GatedRepo", message)
        return True

    def _model(self, request: Request, found: re.Match[str]) -> None:
        repository = self._readable(found["name"])
        if not repository:
            return
        what = found["what"] or "revision"
        if what == "auth-check":
            if not self._refused(repository):
                self.json({})
            return
        commit = repository.commit_of(unquote(found["revision"] or ""))
        if not commit:
            self.error(404, "RevisionNotFound", f"Invalid rev id: {found['revision']}")
        elif what == "revision":
            self.json(self._facts(repository, commit, request.query.get("expand")))
        elif what == "tree":
            expanded = request.query.get("expand", ["false"])[0].lower() == "true"
            entries = list(self._entries(repository, commit, expanded))
            self._page(entries, 50 if expanded else 1000)
        elif what == "paths-info":
            expanded = self.form.get("expand", ["false"])[0].lower() == "true"
            entries = list(self._entries(repository, commit, expanded))
            self.json([entry for entry in entries if entry["path"] in self.form.get("paths", [])])
        else:
            self.error(404, "", "No such route")

    def _entries(self, repository: Repository, commit: str, expanded: bool) -> Iterator[dict[str, Any]]:
        """Yield the folders and files of a commit, sorted by path."""
        contents = repository.commits[commit]
        folders = {parent for path in contents for parent in map(str, Path(path).parents)} - {".", "/"}
        for path in sorted(folders | set(contents)):
            entry: dict[str, Any] = {"path": path, "oid": _object_id(f"{commit}/{path}")}
            if path not in contents:
                yield entry | {"type": "directory", "size": 0}
                continue
            content = contents[path]
            size, sha256 = self._stated(f"{repository.name}/{path}", content)
            entry |= {"type": "file", "size": size}
            if _is_large(path, content):
                entry["lfs"] = {"oid": sha256, "size": size, "pointerSize": 134}
                entry["xetHash"] = sha256[::-1]
            if expanded:
                status = repository.scans.get(path, "safe")
                entry["securityFileStatus"] = {"status": status, "avScan": None, "pickleImportScan": None}
                date = repository.facts["lastModified"]
                entry["lastCommit"] = {"id": commit, "title": "Upload", "date": date}
            yield entry

    def _stated(self, file: str, content: Content) -> tuple[int, str]:
        """Return the size and the sha256 that are stated of a file."""
        about = Request("hub", self.command, self.request_seen.path, {}, {}, 0.0, file=file)
        size, sha256 = self.hub.take_fault(about, "size_lie"), self.hub.take_fault(about, "hash_lie")
        return content.size + (size.at if size else 0), "f" * 64 if sha256 else content.sha256

    def _resolve(self, request: Request, found: re.Match[str]) -> None:
        repository = self._readable(found["name"])
        if not repository or (found["path"] != "README.md" and self._refused(repository)):
            return
        commit = repository.commit_of(unquote(found["revision"]))
        path = found["path"]
        if not commit:
            self.error(404, "RevisionNotFound", f"Invalid rev id: {found['revision']}")
        elif path not in repository.commits[commit]:
            self.error(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
        elif self.hub.take_fault(request, "redirect_loop"):
            self.reply(302, b"", {"Location": self.path})
        elif _is_large(path, content := repository.commits[commit][path]):
            self._redirect(repository, commit, path, content)
        else:
            kind = "text/plain; charset=utf-8"
            known = {"X-Repo-Commit": commit, "ETag": f'"{_object_id(content.sha256)}"', "Content-Type": kind}
            self.send_content(content, known)

    def _redirect(self, repository: Repository, commit: str, path: str, content: Content) -> None:
        with self.hub.lock:
            signature = f"s{len(self.hub.links)}"
            self.hub.links[signature] = 0
        blob = quote(f"/blob/{commit}//{repository.name}//{path}")
        size, sha256 = self._stated(f"{repository.name}/{path}", content)
        url = f"{self.hub.cdn}{blob}?Expires=4102444800&Signature={signature}"
        xet = f"{self.hub.endpoint}/api/models/{repository.name}/xet-read-token/{commit}"
        body = f"Found. Redirecting to {url}".encode()
        headers = {
            "Location": url,
            "X-Repo-Commit": "f" * 40 if self.hub.take_fault(self.request_seen, "commit_lie") else commit,
            "X-Linked-Etag": f'"{sha256}"',
            "X-Linked-Size": str(size),
            "X-Xet-Hash": sha256[::-1],
            "Link": f'<{xet}>; rel="xet-auth"',
            "ETag": f'"{_object_id(sha256)}"',
            "Set-Cookie": "token=visitor; Path=/",
        }
        self.reply(302, body, headers)


def _object_id(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def _is_large(path: str, content: Content) -> bool:
    return path.lower().endswith(".gguf") or content.size >= _LARGE


def _is_wanted(repository: Repository, query: Mapping[str, str], filters: list[str]) -> bool:
    """Return whether a search finds a repository, with the filters that the hub knows."""
    facts = repository.facts
    gated = {"true": True, "false": False}.get(query.get("gated", "").lower())
    total = facts.get("gguf", {}).get("total", 0)
    bounds = dict(part.split(":") for part in query.get("num_parameters", "").split(",") if part)
    return (
        all(word in repository.name.lower() for word in query.get("search", "").lower().split())
        and query.get("author", facts["author"]) == facts["author"]
        and set(filters) <= set(facts["tags"])
        and gated in (None, bool(repository.gated))
        and (not bounds or _number(bounds.get("min", "0")) <= total <= _number(bounds.get("max", "1000T")))
    )


def _number(text: str) -> float:
    """Return "1.5B" as a number."""
    units = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
    return float(text[:-1]) * units[text[-1]] if text[-1] in units else float(text)
