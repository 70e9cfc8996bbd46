"""Chats as files: one, a selection, or all of them."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TextIO

from app.domain.chat_file import to_object
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.whole_chat import WholeChat
from app.services.exports import markdown, page, plain, printed, training
from app.services.exports.formats import Format
from app.services.exports.names import file_name, unused
from app.services.exports.spoken import title_of
from app.services.running import Running
from app.services.threads import Threads
from app.storage.whole_chats import WholeChats


@dataclass(frozen=True, slots=True)
class Written:
    """What an export has made.

    Attributes:
        path: The file, or the folder with a file for each chat.
        chats: How many chats are in it.
        files: How many files that are.
    """

    path: Path
    chats: int
    files: int


class Exporting:
    """Writes chats on a thread of its own, one after the other: never are all of them in memory."""

    def __init__(self, store: WholeChats, style: Path, print_pdf: Callable[[str, str, Path], None]) -> None:
        """Wire the service.

        Args:
            store: Where the chats are.
            style: The style sheet of web pages.
            print_pdf: Prints HTML with a title to a file.
        """
        self._store = store
        self._style = style
        self._print_pdf = print_pdf
        self._threads = Threads(1, "exporting")
        self._running: Running[Written] | None = None

    def ids(self) -> "Future[list[int]]":
        """Return the ids of all chats, those that were used last first."""
        return self._store.ids()

    def suggested(self, format_: Format, titles: Sequence[str]) -> str:
        """Return a name for the file or the folder of chats with these titles."""
        name = file_name(titles[0]) if len(titles) == 1 else f"Fireside {date.today().isoformat()}"
        return name if len(titles) != 1 and not format_.joins else name + format_.suffix(len(titles))

    def write(
        self,
        ids: Sequence[int] | None,
        format_: Format,
        to: Path,
        *,
        branches: bool = False,
        overwrite: bool = False,
    ) -> Running[Written]:
        """Write chats; a file appears under its name when it is whole.

        The future fails with a UserError when a chat is gone, when `to` is taken, or when it cannot be
        written; it is cancelled when it was stopped, and what is finished then stays.

        Args:
            ids: The chats in this order; None for all, those that were used last first.
            format_: What they become.
            to: A file; of several chats, each of which has its own, a folder, which is made if need be.
            branches: Write every version as an example, where the format has examples.
            overwrite: Take the place of a file that is there. In a folder nothing is ever replaced.
        """

        def work(running: Running[Written]) -> Written:
            chosen = self._store.ids().result() if ids is None else list(ids)
            if not chosen:
                raise UserError(_("There are no chats yet."))
            with _told(to):
                if format_.joins:
                    return self._join(chosen, format_, to, running, branches, overwrite)
                if len(chosen) == 1:
                    _refuse_taken(to, overwrite)
                    self._one(self._store.read(chosen[0]).result(), format_, to)
                    return Written(to, 1, 1)
                return self._each(chosen, format_, to, running)

        self._running = Running(self._threads, work)
        return self._running

    def text(
        self, chat_id: int, format_: Format, *, branches: bool = False, alone: bool = True
    ) -> "Future[str]":
        """Return a chat as text, one of several unless it stands `alone`; not for PDF."""

        def work() -> str:
            whole = self._store.read(chat_id).result()
            if format_ is Format.JSON:
                return _object_text(whole, alone=alone)
            if format_.joins:
                return "".join(training.lines(whole, format_, branches=branches))
            return self._page(whole, format_)

        return self._threads.submit(work)

    def close(self) -> None:
        """Stop what is on its way, and end the thread."""
        if self._running is not None:
            self._running.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)

    # On the thread.

    def _join(
        self,
        ids: Sequence[int],
        format_: Format,
        to: Path,
        running: Running[Written],
        branches: bool,
        overwrite: bool,
    ) -> Written:
        _refuse_taken(to, overwrite)
        with _new_text(to) as file:
            for whole in self._read(ids, running):
                if format_ is Format.JSON:
                    file.write(_object_text(whole, alone=len(ids) == 1))
                else:
                    file.writelines(training.lines(whole, format_, branches=branches))
        return Written(to, running.count, 1)

    def _each(self, ids: Sequence[int], format_: Format, to: Path, running: Running[Written]) -> Written:
        to.mkdir(parents=True, exist_ok=True)
        used = {each.name.casefold() for each in to.iterdir()}
        for whole in self._read(ids, running):
            name = unused(file_name(title_of(whole)), format_.suffix(1), lambda name: name.casefold() in used)
            used.add(name.casefold())
            self._one(whole, format_, to / name)
        return Written(to, running.count, running.count)

    def _read(self, ids: Sequence[int], running: Running[Written]) -> Iterator[WholeChat]:
        for place, chat_id in enumerate(ids):
            running.advance(place / len(ids), place)
            yield self._store.read(chat_id).result()
        running.advance(1.0, len(ids))

    def _one(self, whole: WholeChat, format_: Format, to: Path) -> None:
        if format_ is Format.PDF:
            with _new(to) as path:
                self._print_pdf(printed.written(whole), title_of(whole), path)
        else:
            with _new_text(to) as file:
                file.write(self._page(whole, format_))

    def _page(self, whole: WholeChat, format_: Format) -> str:
        match format_:
            case Format.HTML:
                return page.written(whole, self._style.read_text(encoding="utf-8"))
            case Format.TEXT:
                return plain.written(whole)
        return markdown.written(whole)


def _object_text(whole: WholeChat, *, alone: bool) -> str:
    """Return a chat as JSON: one alone for reading, too; one of many on one line."""
    return json.dumps(to_object(whole), ensure_ascii=False, indent=2 if alone else None) + "\n"


@contextmanager
def _new(to: Path) -> Iterator[Path]:
    """Give a file beside `to` to write, which takes its name at the end, and goes when it comes to none."""
    with NamedTemporaryFile(dir=to.parent, prefix=".fireside-", suffix=to.suffix, delete=False) as made:
        path = Path(made.name)
    try:
        yield path
        path.replace(to)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


@contextmanager
def _new_text(to: Path) -> Iterator[TextIO]:
    with _new(to) as path, path.open("w", encoding="utf-8", newline="\n", errors="replace") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _refuse_taken(to: Path, overwrite: bool) -> None:
    if to.is_dir():
        raise UserError(_("{path} is a folder.").format(path=to), _("Choose a name for a file."))
    if to.exists() and not overwrite:
        raise UserError(_("There is already a file {path}.").format(path=to), _("Choose another name."))


@contextmanager
def _told(to: Path) -> Iterator[None]:
    try:
        yield
    except CancelledError:
        raise
    except OSError as error:
        raise UserError(
            _("{path} could not be written: {reason}.").format(
                path=to, reason=error.strerror or type(error).__name__
            ),
            _("Check that the disk has room and that you may write there."),
        ) from error
