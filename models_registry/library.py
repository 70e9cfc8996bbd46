"""The models a person can use: those in the app's folder, those linked where they lie, and the starter."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from models_registry import naming
from models_registry.errors import ModelFileError, Problem
from models_registry.gguf import open_file, read_header
from models_registry.header import Header
from models_registry.index import Index, IndexFile, Source, Stamp
from models_registry.shards import Shard, parts_of
from models_registry.starter import find_starter

logger = logging.getLogger(__name__)

_CHUNK = 4 << 20

Identity = tuple[int, int]
"""Device and inode: the same file, whatever its path."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model in the library.

    Attributes:
        path: Absolute; the first file of a model in several.
        origin: "starter" (came with the app), "own" (in the library's folder) or "linked" (used in place).
        header: None when the file cannot be used.
        error: Why it cannot be used; None when it can.
        sha256: Of the file, or of all its files one after the other; empty until `Library.sha256_of` has run.
        given_name: What to call it where neither its file name nor its header says; may be empty.
        title: What a person calls it, whatever the file says; may be empty.
        source: Where it came from; None until that is known.
        copies: Other files with the very same bytes, which are not listed by themselves.
    """

    path: Path
    origin: str
    header: Header | None
    error: ModelFileError | None
    sha256: str = ""
    given_name: str = ""
    title: str = ""
    source: Source | None = None
    copies: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """Return what to call the model, also when only its file name is known. Never empty."""
        return self.title or self.original_name

    @property
    def changed(self) -> bool:
        """Return whether its bytes are known to be others than those it came with."""
        came_with = self.source.sha256 if self.source else ()
        return bool(self.sha256) and len(came_with) == 1 and came_with[0] != self.sha256

    @property
    def original_name(self) -> str:
        """Return what it is called by itself. Never empty."""
        if self.header:
            return naming.display_name(self.header.metadata, self.path, self.given_name)
        return self.given_name or naming.file_name(self.path)


class Library:
    """The models on this computer that the app knows of.

    Nothing is locked: one thread owns a library. Another process may have one on the same folder. Headers are
    kept in memory and read again only when a file's size or time of change differs.
    """

    def __init__(self, folder: Path) -> None:
        """Open the library in `folder`, which need not exist yet.

        Args:
            folder: Holds models, in subfolders too, and `library.json`, which lists the linked ones.
        """
        self._folder = folder.absolute()
        self._index = IndexFile(self._folder / "library.json")
        self._headers: dict[Path, tuple[Stamp, Header | ModelFileError]] = {}
        self._unsaved: dict[str, tuple[Stamp, str]] = {}

    def entries(self) -> list[Entry]:
        """Return every model once, the starter first, then by name; also those that cannot be used, and why.

        Copies of one file are listed once, as soon as their sha256 are known, with the places of the others.
        A linked file that disappeared stays listed with the problem MISSING. Not listed: projectors (mmproj),
        downloads that are not finished, hidden files, and the later files of a model in several.
        """
        index = self._read_index()
        seen: set[Identity] = set()
        copies: dict[str, list[Path]] = {}
        found = []
        for path, origin in self._candidates(index):
            identity = _identity(path)
            if identity in seen:
                continue
            if identity:
                seen.add(identity)
            entry = self._entry(path, origin, index)
            if entry.sha256 and entry.sha256 in copies:
                copies[entry.sha256].append(path)
                continue
            copies[entry.sha256] = []
            if origin != "own" or not entry.error or entry.error.problem is not Problem.PROJECTOR:
                found.append(entry)
        whole = (replace(e, copies=tuple(copies[e.sha256])) if copies[e.sha256] else e for e in found)
        return sorted(whole, key=lambda entry: (entry.origin != "starter", entry.name.casefold(), entry.path))

    def link(self, path: Path, name: str = "") -> Entry:
        """List a model file where it lies and return its entry.

        A file that is listed already, under this or another path, is not listed again. For a later file of a
        model in several, the first one beside it is linked.

        Args:
            path: Whatever its name: the blobs of Ollama have no ".gguf".
            name: What to call it where neither its file name nor its header says.

        Raises:
            ModelFileError: When it cannot be used; nothing is changed.
            OSError: When the list cannot be written, as in a read-only folder.
        """
        path = _resolved(path)
        shard = Shard.of(path)
        if shard and shard.sibling(1).is_file():
            path = shard.sibling(1)
        header = self._header(path)
        if isinstance(header, ModelFileError):
            raise header
        identity = _identity(path)
        known = next((entry for entry in self.entries() if _identity(entry.path) == identity), None)
        if known:
            return known

        def add(index: Index) -> None:
            if str(path) not in index.linked:
                index.linked.append(str(path))
            if name:
                index.names[str(path)] = name

        self._index.update(add)
        return self._entry(path, "linked", self._read_index())

    def unlink(self, path: Path) -> None:
        """Take a linked file off the list; the file stays. Nothing happens when it is not linked.

        Raises:
            OSError: When the list cannot be read or written.
        """
        names = {str(path), str(_resolved(path))}
        if not names.isdisjoint(self._index.read().linked):
            self._forget(names)

    def forget(self, path: Path) -> None:
        """Drop what is known of a file that was removed.

        Raises:
            OSError: When the list cannot be read or written.
        """
        self._forget({str(path)})

    def rename(self, path: Path, title: str) -> None:
        """Call the model in a file `title` from now on; with none, what it is called by itself.

        Raises:
            OSError: When the list cannot be read or written.
        """
        words = naming.printable(title)

        def change(index: Index) -> None:
            index.titles.pop(str(path), None)
            if words:
                index.titles[str(path)] = words

        self._index.update(change)

    def header(self, path: Path) -> Header | None:
        """Return the header of a file, from memory where it is there; None when it cannot be used."""
        header = self._header(path)
        return header if isinstance(header, Header) else None

    def sha256_of(self, path: Path, cancelled: Callable[[], bool]) -> str | None:
        """Return the sha256 of a model in hexadecimal, of all its files one after the other, and keep it.

        It is computed only when it is not known for the file as it is now. Where the list cannot be written,
        it is kept in memory.

        Args:
            path: Of an entry.
            cancelled: Asked after every 4 MiB.

        Returns:
            None when `cancelled` said so, or when the file changed meanwhile.

        Raises:
            ModelFileError: MISSING, NOT_A_FILE or UNREADABLE.
        """
        stamp = _stamp(path)
        if known := self._known_sha256(path, stamp, self._read_index()):
            return known
        digest = digest_of(path, cancelled)
        if digest is None or _stamp(path) != stamp:
            return None
        self._keep_sha256(path, stamp, digest)
        return digest

    def learn_sha256(self, path: Path, sha256: str) -> None:
        """Keep the sha256 of a model, as whoever has just written or read all of it computed it."""
        self._keep_sha256(path, _stamp(path), sha256)

    def holds(self, path: Path) -> bool:
        """Return whether a file lies in the library's own folder."""
        return path.is_relative_to(self._folder)

    def source_of(self, path: Path) -> Source | None:
        """Return where a file came from; None when that is not known."""
        return self._read_index().sources.get(str(path))

    def learn_source(self, path: Path, source: Source) -> None:
        """Keep where a file came from."""
        try:
            self._index.update(lambda index: index.sources.update({str(path): source}))
        except OSError as error:
            logger.warning("The source of a file could not be kept: %s", error)

    def _forget(self, names: set[str]) -> None:
        def remove(index: Index) -> None:
            for name in names:
                index.forget(name)

        self._index.update(remove)

    def _keep_sha256(self, path: Path, stamp: Stamp, sha256: str) -> None:
        self._unsaved[str(path)] = (stamp, sha256)

        def keep(index: Index) -> None:
            index.sha256.update(self._unsaved)
            for name, (_stamp_of, digest) in self._unsaved.items():
                index.sources.setdefault(name, Source("", "", (digest,)))

        try:
            self._index.update(keep)
        except OSError as error:
            logger.warning("A sha256 could not be kept: %s", error)
        else:
            self._unsaved.clear()

    def _read_index(self) -> Index:
        try:
            return self._index.read()
        except OSError as error:
            logger.warning("The list of linked models cannot be read: %s", error)
            return Index()

    def _candidates(self, index: Index) -> Iterator[tuple[Path, str]]:
        if starter := find_starter():
            yield starter, "starter"
        for path in _model_files(self._folder):
            yield path, "own"
        for linked in index.linked:
            yield Path(linked), "linked"

    def _entry(self, path: Path, origin: str, index: Index) -> Entry:
        header, key = self._header(path), str(path)
        name, title = index.names.get(key, ""), index.titles.get(key, "")
        source, placed = index.sources.get(key), self._placed(path, origin)
        if source is None or not source.repository:
            source = Source(placed, "", source.sha256 if source else ()) if placed or source else None
        if isinstance(header, ModelFileError):
            return Entry(path, origin, None, header, "", name, title, source)
        sha256 = self._known_sha256(path, _stamp(path), index)
        return Entry(path, origin, header, None, sha256, name, title, source)

    def _placed(self, path: Path, origin: str) -> str:
        """Return the repository that a file's place names: downloads lie in folders for maker and name."""
        folders = path.relative_to(self._folder).parts[:-1] if origin == "own" else ()
        return "/".join(folders[:2]) if len(folders) > 1 else ""

    def _header(self, path: Path) -> Header | ModelFileError:
        """Return the header, or why there is none, from memory while the file stays the same."""
        stamp = _stamp(path)
        known = self._headers.get(path)
        if known and known[0] == stamp:
            return known[1]
        result: Header | ModelFileError
        try:
            result = read_header(path)
        except ModelFileError as error:
            # A new one: that which was caught holds on to everything the reader had in hand.
            result = ModelFileError(error.problem, error.detail)
            if error.problem in (Problem.MISSING, Problem.UNREADABLE):
                return result
        self._headers[path] = (stamp, result)
        return result

    def _known_sha256(self, path: Path, stamp: Stamp, index: Index) -> str:
        known = self._unsaved.get(str(path)) or index.sha256.get(str(path))
        return known[1] if known and known[0] == stamp else ""


def _model_files(folder: Path) -> Iterator[Path]:
    """Yield the models below `folder`, by name only: the first file there is of those in several."""
    visited: set[Identity | None] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        # A link to a folder above would lead round in circles.
        identity = _identity(Path(place))
        if identity in visited:
            folders.clear()
            continue
        visited.add(identity)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        shown: set[tuple[str, int]] = set()
        for name in sorted(files):
            path = Path(place, name)
            if (
                not name.lower().endswith(".gguf")
                or name.startswith(".")
                or name.lower().startswith("mmproj")
            ):
                continue
            if shard := Shard.of(path):
                if (shard.stem, shard.total) in shown:
                    continue
                shown.add((shard.stem, shard.total))
            yield path


def _resolved(path: Path) -> Path:
    """Return an absolute path that keeps its last name.

    In the cache of the Hugging Face hub that name is a link to a file without one, and the name counts: it
    says what the model is and where its other files are.
    """
    try:
        return path.parent.resolve() / path.name
    except (OSError, ValueError, RuntimeError):  # a NUL in the path, a circle of links
        return path.absolute()


def _identity(path: Path) -> Identity | None:
    """Return what tells a file from every other, None when it is not there."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _stamp(path: Path) -> Stamp:
    """Return what changes when a model's files change; empty when there are none."""
    try:
        statuses = [part.stat() for part in parts_of(path)]
    except (OSError, ValueError):
        return ()
    return tuple((status.st_size, status.st_mtime_ns) for status in statuses)


def digest_of(
    path: Path,
    cancelled: Callable[[], bool],
    progressed: Callable[[int], None] = lambda _read: None,
    *,
    alone: bool = False,
) -> str | None:
    """Compute the sha256 of all files of a model, one after the other; None when `cancelled` said so.

    Args:
        path: Of the first file.
        cancelled: Asked after every 4 MiB.
        progressed: Told after each how many bytes have been read.
        alone: Read this file only, whatever files belong to it.

    Raises:
        ModelFileError: MISSING, NOT_A_FILE or UNREADABLE.
    """
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_CHUNK))
    done = 0
    for part in [path] if alone else parts_of(path):
        with open_file(part) as file:
            try:
                while count := file.readinto(buffer):
                    if cancelled():
                        return None
                    digest.update(buffer[:count])
                    done += count
                    progressed(done)
            except OSError as error:
                raise ModelFileError(Problem.UNREADABLE, str(error)) from error
    return digest.hexdigest()
