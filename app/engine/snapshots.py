"""The KV cache of chats on disk, so that returning to a long one does not mean reading it again.

A snapshot is two files: `NAME.state` as llama.cpp writes it, with the tokens at its beginning, and
`NAME.json`, written last, which says what it is and holds a checksum: llama.cpp checks little of what it
reads back, and a state that is not what it seems to be would give wrong answers silently.
"""

import array
import contextlib
import hashlib
import json
import logging
import os
import secrets
import shutil
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.engine import records
from app.engine.context import Context
from app.engine.prefix import common_length

USUAL_BUDGET = 4 * 1024**3  # bytes
WORTHWHILE = 64  # tokens; fewer are read again in no time

_log = logging.getLogger("fireside.snapshots")

_KEPT_FREE = 1024**3  # bytes of the disk that snapshots never touch
_HURRY_SECONDS = 5.0
_STALE_SECONDS = 600.0  # after which a half-written file belongs to nobody any more
_TOKENS_AT = 12  # in llama.cpp's file: magic, version and count, 4 bytes each, come before
_CHUNK = 1 << 22
_BUDGET = "budget"  # a file in the folder, for all who share it


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state on disk.

    Attributes:
        path: Of the state; the description lies beside it.
        key: Model, engine and everything else that must be the same for it to be of use.
        chat: Whose it is.
        size: Bytes of the state.
        checksum: CRC-32 of the state.
        tokens: What it holds.
    """

    path: Path
    key: str
    chat: int
    size: int
    checksum: int
    tokens: Sequence[int]


class Snapshots:
    """The snapshots that one context can read and write, in a folder that it shares with others.

    Whatever goes wrong with the disk costs only time: nothing here raises for it.

    Attributes:
        worthwhile: The fewest new tokens that are worth a snapshot.
    """

    worthwhile = WORTHWHILE

    def __init__(self, folder: Path, key: str) -> None:
        """Look at what `folder` holds; it is made when there is something to keep.

        Args:
            folder: For the files.
            key: What a state depends on beside its tokens, in any form.
        """
        self._folder = folder
        self._key = hashlib.sha256(key.encode()).hexdigest()
        self._deadline: float | None = None
        self._known = self._read_all()

    def best(self, tokens: Sequence[int], adapters: object, *, at_least: int, whole: bool) -> Snapshot | None:
        """Return the snapshot with the longest beginning of `tokens`, when it is longer than `at_least`.

        Args:
            tokens: What is to be read.
            adapters: The LoRA adapters it is read through.
            at_least: How much of it is at hand without a snapshot.
            whole: Only one that holds nothing beyond, as it could not be cut back.
        """
        wanted, key = array.array("i", tokens), self._full_key(adapters)
        best, most = None, at_least + self.worthwhile - 1
        for snapshot in self._known:
            if snapshot.key != key:
                continue
            shared = common_length(snapshot.tokens, wanted)
            if shared > most and not (whole and shared < len(snapshot.tokens)):
                best, most = snapshot, shared
        return best

    def restore(self, snapshot: Snapshot, context: Context, sequence: int) -> bool:
        """Read a snapshot into an empty sequence; a damaged one is deleted."""
        if not snapshot.path.exists() or _checksum(snapshot.path) != snapshot.checksum:
            _log.warning("A snapshot was damaged")
            self._delete(snapshot)
            return False
        if not context.restore(sequence, snapshot.path, len(snapshot.tokens)):
            return False
        with contextlib.suppress(OSError):
            os.utime(snapshot.path)
        return True

    def save(
        self, context: Context, sequence: int, tokens: Sequence[int], adapters: object, chat: int
    ) -> bool:
        """Write the state of a sequence that holds `tokens`, and delete what it makes superfluous.

        Returns:
            Whether it is on the disk now.
        """
        if len(tokens) < self.worthwhile or (self._deadline and time.monotonic() > self._deadline):
            return False
        held, key = array.array("i", tokens), self._full_key(adapters)
        size = context.state_size(sequence)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if size > budget(self._folder) or shutil.disk_usage(self._folder).free < size + _KEPT_FREE:
                return False
            path = self._folder / f"{key[:16]}-{secrets.token_hex(8)}.state"
            snapshot = self._write(context, sequence, tokens, path, key, chat)
        except OSError as error:
            _log.warning("No snapshot could be written: %s", error)
            return False
        if snapshot is None:
            return False
        for older in list(self._known):
            if (
                older.key == key
                and older.chat == chat
                and common_length(older.tokens, held) == len(older.tokens)
            ):
                self._delete(older)
        self._known.append(snapshot)
        _keep_to_budget(self._folder, newest=path)
        self._known = [snapshot for snapshot in self._known if snapshot.path.exists()]
        return True

    @contextlib.contextmanager
    def hurried(self) -> Iterator[None]:
        """Begin no further snapshot once some seconds have gone by: a person waits for the end."""
        self._deadline = time.monotonic() + _HURRY_SECONDS
        try:
            yield
        finally:
            self._deadline = None

    def forget(self, chat: int) -> None:
        """Delete every snapshot of a chat."""
        forget(self._folder, chat)
        self._known = [snapshot for snapshot in self._known if snapshot.chat != chat]

    def _full_key(self, adapters: object) -> str:
        return hashlib.sha256(f"{self._key} {adapters}".encode()).hexdigest() if adapters else self._key

    def _write(
        self, context: Context, sequence: int, tokens: Sequence[int], path: Path, key: str, chat: int
    ) -> Snapshot | None:
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.close(descriptor)
        try:
            if not context.save(sequence, tokens, part):
                part.unlink()
                return None
            snapshot = Snapshot(
                path, key, chat, part.stat().st_size, _checksum(part), array.array("i", tokens)
            )
            part.replace(path)
            description = {k: v for k, v in asdict(snapshot).items() if k not in ("path", "tokens")}
            records.write(path.with_suffix(".json"), description)
        except BaseException:
            part.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise
        return snapshot

    def _read_all(self) -> list[Snapshot]:
        """Return what is there, and delete what no writer will ever finish."""
        found = []
        for description in self._folder.glob("*.json"):
            snapshot = _read(description)
            if snapshot is not None:
                found.append(snapshot)
        now = time.time()
        for pattern in ("*.part", "*.tmp", "*.state"):
            for path in self._folder.glob(pattern):
                with contextlib.suppress(OSError):
                    orphan = not path.with_suffix(".json").exists()
                    if orphan and now - path.stat().st_mtime > _STALE_SECONDS:
                        path.unlink()
        return found

    def _delete(self, snapshot: Snapshot) -> None:
        _unlink(snapshot.path)
        self._known = [each for each in self._known if each.path != snapshot.path]


def forget(folder: Path, chat: int | None = None) -> None:
    """Delete the snapshots of a chat, or all of them."""
    for description in folder.glob("*.json"):
        try:
            found = json.loads(description.read_bytes())
        except (OSError, ValueError, RecursionError):
            found = {}
        if chat is None or not isinstance(found, dict) or found.get("chat") in (chat, None):
            _unlink(description.with_suffix(".state"))
    if chat is None:
        for path in (*folder.glob("*.state"), *folder.glob("*.part"), *folder.glob("*.tmp")):
            with contextlib.suppress(OSError):
                path.unlink()


def usage(folder: Path) -> tuple[int, int]:
    """Return how many snapshots there are, and the bytes they take."""
    states = list(_states(folder))
    return len(states), sum(status.st_size for _path, status in states)


def budget(folder: Path) -> int:
    """Return the bytes that all snapshots together may take; the least recently used go beyond it."""
    value = records.read(folder / _BUDGET).get("bytes")
    return value if isinstance(value, int) and value >= 0 else USUAL_BUDGET


def set_budget(folder: Path, size: int) -> None:
    """Let all snapshots together take `size` bytes, 0 for none, and delete what is beyond that.

    Raises:
        OSError: When that cannot be written down; nothing has changed then.
    """
    records.write(folder / _BUDGET, {"bytes": size})
    _keep_to_budget(folder)


def _keep_to_budget(folder: Path, newest: Path | None = None) -> None:
    most = budget(folder)
    states = sorted(_states(folder), key=lambda state: state[1].st_mtime)
    total = sum(status.st_size for _path, status in states)
    for path, status in states:
        if total <= most or path == newest:
            break
        total -= status.st_size
        _unlink(path)


def _states(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder.glob("*.state"):
        with contextlib.suppress(OSError):
            yield path, path.stat()


def _read(description: Path) -> Snapshot | None:
    """Read what a description says and the tokens of its state; delete one that makes no sense."""
    path = description.with_suffix(".state")
    try:
        said: dict[str, Any] = json.loads(description.read_bytes())
        tokens = _read_tokens(path, said["size"])
        chat, size, checksum = (int(said[name]) for name in ("chat", "size", "checksum"))
        return Snapshot(path, str(said["key"]), chat, size, checksum, tokens)
    except (OSError, ValueError, TypeError, KeyError, EOFError, OverflowError, RecursionError):
        _unlink(path)
        return None


def _read_tokens(path: Path, size: int) -> "array.array[int]":
    """Return the tokens of a state of `size` bytes.

    Raises:
        OSError, EOFError, ValueError: When it is not there, or not as long as it should be.
    """
    tokens = array.array("i")
    with path.open("rb") as file:
        file.seek(_TOKENS_AT - 4)
        count = int.from_bytes(file.read(4), "little")
        if os.fstat(file.fileno()).st_size != size or count * tokens.itemsize > size:
            raise ValueError("its size is wrong")
        tokens.fromfile(file, count)
    return tokens


def _unlink(path: Path) -> None:
    """Delete a state and its description; the description first, so that a half is never believed."""
    for each in (path.with_suffix(".json"), path):
        with contextlib.suppress(OSError):
            each.unlink(missing_ok=True)


def _checksum(path: Path) -> int:
    value = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                value = zlib.crc32(chunk, value)
    except OSError:
        return -1
    return value
