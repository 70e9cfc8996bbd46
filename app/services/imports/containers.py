"""Where chats lie: a file, a folder, or an archive, of which nothing is ever unpacked to the disk.

What is too large, too well compressed or named as if it lay elsewhere is left out, with a sentence.
"""

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from app.domain.language import _
from app.services.imports.shapes import LeftOut

SUFFIXES = (".json", ".jsonl")
MOST_FILES = 100_000
MOST_BYTES = 32 * 2**30  # of what an archive holds
_SUSPICIOUS_BYTES, _SUSPICIOUS_RATIO = 32 * 2**20, 200  # JSON of chats shrinks to a tenth


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that may hold chats.

    Attributes:
        name: With the folders it lies in, separated by slashes, below what a person has chosen.
        size: In bytes.
        open: Opens it for reading; raises OSError, zipfile.BadZipFile or NotImplementedError.
        beside: Returns the file of another name in the same folder, if there is one.
        chosen: A person has named this very file.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]
    beside: "Callable[[str], Entry | None]"
    chosen: bool = False


def entries(paths: Sequence[Path]) -> Iterator[Entry | LeftOut]:
    """Return what lies in files, folders and archives, in the order of the names."""
    for path in paths:
        try:
            if path.is_dir():
                yield from _folder(path)
            elif zipfile.is_zipfile(path):
                yield from _archive(path)
            else:
                yield _file(path, path.name, chosen=True)
        except OSError as error:
            reason = _("It could not be opened: {reason}.").format(
                reason=error.strerror or type(error).__name__
            )
            yield LeftOut(path.name, reason)


def _file(path: Path, name: str, *, chosen: bool = False) -> Entry:
    def beside(other: str) -> Entry | None:
        found = path.with_name(other)
        return _file(found, other) if found.is_file() and not found.is_symlink() else None

    return Entry(name, path.stat().st_size, lambda: path.open("rb"), beside, chosen)


def _packed(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Entry:
    def beside(other: str) -> Entry | None:
        name = str(PurePosixPath(info.filename).with_name(other))
        found = archive.NameToInfo.get(name)
        return None if found is None or _refusal(found) else _packed(archive, found)

    return Entry(info.filename, info.file_size, lambda: archive.open(info), beside)


def _folder(folder: Path) -> Iterator[Entry | LeftOut]:
    count = 0
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if path.suffix.lower() not in SUFFIXES or path.is_symlink():
                continue
            count += 1
            if count > MOST_FILES:
                yield LeftOut(folder.name, _("The folder holds too many files."))
                return
            yield _file(path, path.relative_to(folder).as_posix())


def _archive(path: Path) -> Iterator[Entry | LeftOut]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        yield LeftOut(path.name, _("The archive is damaged."))
        return
    with archive:
        infos = archive.infolist()
        packed, size = path.stat().st_size, sum(info.file_size for info in infos)
        if len(infos) > MOST_FILES or size > MOST_BYTES or _swells(packed, size):
            yield LeftOut(path.name, _("The archive would unpack to far more than a history of chats."))
            return
        for info in sorted(infos, key=lambda info: info.filename):
            if info.is_dir() or not info.filename.lower().endswith(SUFFIXES):
                continue
            reason = _refusal(info)
            if reason:
                yield LeftOut(info.filename, reason)
            else:
                yield _packed(archive, info)


def _refusal(info: zipfile.ZipInfo) -> str:
    name = info.filename.replace("\\", "/")
    if name.startswith("/") or ":" in name.split("/")[0] or ".." in PurePosixPath(name).parts:
        return _("Its name leads out of the archive.")
    if info.flag_bits & 1:
        return _("It is locked with a password.")
    if _swells(info.compress_size, info.file_size):
        return _("It would unpack to far more than a history of chats.")
    return ""


def _swells(packed: int, size: int) -> bool:
    return size > _SUSPICIOUS_BYTES and size > packed * _SUSPICIOUS_RATIO
