"""Chats that leave the window as files, and files that come in as chats."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, QStandardPaths, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from app.domain.errors import UserError
from app.domain.language import _, plural
from app.domain.undo import Act
from app.services.exporting import Exporting, Written
from app.services.exports.formats import Format
from app.services.importing import Found, Importing, nothing_found
from app.services.running import Running
from app.ui.appearance import Appearance
from app.ui.chat_page import ChatPage
from app.ui.export_sheet import ExportSheet
from app.ui.history_desk import HistoryDesk
from app.ui.import_sheet import ImportSheet
from app.ui.notices import Offer
from app.ui.post import Poster
from app.ui.reveal import reveal
from app.ui.sheet import Sheet
from app.ui.sidebar.chats import ChatList, ChatRole

_S = TypeVar("_S", bound=Sheet)
_LOOK_MS = 100
SUFFIXES = (".zip", ".json", ".jsonl")


class ChatFiles(QObject):
    """Opens the sheets and carries out what they say. What takes long goes on when its sheet is closed."""

    def __init__(
        self,
        appearance: Appearance,
        poster: Poster,
        importing: Importing,
        exporting: Exporting,
        desk: HistoryDesk,
        page: ChatPage,
        chats: ChatList,
        over: QWidget,
    ) -> None:
        """Wire the sheets.

        Args:
            appearance: Their look.
            poster: The way back onto this thread.
            importing: Brings chats in.
            exporting: Takes chats out.
            desk: Offers to undo an import.
            page: Tells the end in a notice.
            chats: Knows the titles.
            over: The sheets lie over it.
        """
        super().__init__(over)
        self._appearance, self._poster, self._over = appearance, poster, over
        self._importing, self._exporting = importing, exporting
        self._desk, self._page, self._notices, self._chats = desk, page, page.notices, chats
        self._running: Running[Any] | None = None
        self._paths: list[Path] = []  # what was looked into

    # Out.

    def export(self, ids: Sequence[int]) -> None:
        """Ask what some chats shall become, and write them."""
        if ids and not self._sheets(ExportSheet):
            sheet = ExportSheet(self._appearance, len(ids), self._over)
            sheet.chosen.connect(partial(self._ask_where, sheet, list(ids)))
            sheet.open_formats()

    def export_shown(self) -> None:
        """Ask what the chat in the window shall become."""
        chat_id = self._page.chat.id
        if chat_id is not None:
            self.export([chat_id])

    def export_all(self) -> None:
        """Ask what all chats shall become."""
        self._poster.when_done(self._exporting.ids(), self.export)

    def copy_shown(self) -> None:
        """Put the chat in the window on the clipboard as Markdown."""
        chat_id = self._page.chat.id
        if chat_id is None:
            return

        def copy(text: str) -> None:
            QGuiApplication.clipboard().setText(text)
            self._notices.show_offer(_("The chat is on the clipboard, as Markdown."))

        self._poster.when_done(self._exporting.text(chat_id, Format.MARKDOWN), copy)

    def _ask_where(self, sheet: ExportSheet, ids: Sequence[int], format_: Format, branches: bool) -> None:
        name = self._exporting.suggested(format_, [self._title(chat_id) for chat_id in ids])
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        dialog = QFileDialog(self._over.window(), _("Export"), folder)
        one = len(ids) == 1 or format_.joins
        if one:  # the dialog asks before it takes the place of a file
            suffix = format_.suffix(len(ids))
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setNameFilter(f"{format_.title} (*{suffix})")
            dialog.setDefaultSuffix(suffix.removeprefix("."))
            dialog.selectFile(name)
        else:
            dialog.setFileMode(QFileDialog.FileMode.Directory)

        def write(names: list[str]) -> None:
            path = Path(names[0]) if one else Path(names[0], name)
            running = self._exporting.write(ids, format_, path, branches=branches, overwrite=True)
            sheet.stopped.connect(running.stop)
            self._watch(running, lambda part, _count: sheet.show_part(part), sheet)
            running.future.add_done_callback(lambda done: self._poster.post(partial(_close, sheet)))
            self._poster.when_done(running.future, self._tell_written)

        _open(dialog, write)

    def _title(self, chat_id: int) -> str:
        index = self._chats.row_of(chat_id)
        return index.data(ChatRole.CHAT).title if index.isValid() else ""

    def _tell_written(self, written: Written) -> None:
        words = plural("{count} chat was exported.", "{count} chats were exported.", written.chats)
        failed = partial(self._notices.show_error, UserError(_("The folder could not be opened.")))
        show = Offer(_("Show it"), partial(reveal, written.path, self, failed))
        self._notices.show_offer(words.format(count=written.chats), show)

    # In.

    @property
    def busy(self) -> bool:
        """Return whether files are being looked into, or their chats are coming in."""
        return self._running is not None

    def open_import(self) -> None:
        """Show where chats can come from."""
        self._sheet()

    def take(self, paths: Sequence[Path]) -> None:
        """Look into files, and show what would come."""
        sheet = self._sheet()
        if self._running is not None:
            return  # one after the other
        sheet.show_progress(_("Reading…"))
        self._follow(self._importing.preview(paths), partial(self._show_found, sheet, list(paths)), sheet)

    def _sheet(self) -> ImportSheet:
        for sheet in self._sheets(ImportSheet):
            return sheet
        made = ImportSheet(self._appearance, self._over)
        made.files_requested.connect(self._ask_for_files)
        made.folder_requested.connect(self._ask_for_folder)
        made.stopped.connect(self._stop)
        made.taken.connect(lambda: self._import(made, self._paths))
        if self._running is not None:
            made.show_progress(_("Importing…"))
        made.open_page()
        return made

    def _ask_for_files(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        dialog = QFileDialog(
            self._over.window(), _("Import chats"), "", _("Chats ({kinds})").format(kinds=kinds)
        )
        dialog.setNameFilters([*dialog.nameFilters(), _("All files (*)")])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        _open(dialog, lambda names: self.take([Path(name) for name in names]))

    def _ask_for_folder(self) -> None:
        dialog = QFileDialog(self._over.window(), _("Import chats"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        _open(dialog, lambda names: self.take([Path(name) for name in names]))

    def _show_found(self, sheet: ImportSheet, paths: Sequence[Path], found: Found) -> None:
        if shiboken6.isValid(sheet) and not sheet.isHidden():
            self._paths = list(paths)
            sheet.show_found(found)

    def _import(self, sheet: ImportSheet, paths: Sequence[Path]) -> None:
        if self._running is None:
            sheet.show_progress(_("Importing…"))
            self._follow(self._importing.commit(paths), partial(self._tell_imported, sheet), sheet)

    def _tell_imported(self, sheet: ImportSheet, found: Found) -> None:
        _close(sheet)
        nothing = nothing_found(found)
        if nothing is not None:
            self._notices.show_error(nothing)
            return
        words = plural("{count} chat was imported.", "{count} chats were imported.", found.chats)
        self._desk.offer_undo(words.format(count=found.chats), Act.IMPORT)

    def _follow(self, running: "Running[Found]", done: Callable[[Found], None], sheet: ImportSheet) -> None:
        def succeed(found: Found) -> None:
            if self._running is running:
                self._running = None
                done(found)

        def fail(error: UserError) -> None:
            if self._running is running:
                self._running = None
                _close(sheet)
                self._notices.show_error(error)

        self._running = running
        self._watch(running, self._show_part, self)
        self._poster.when_done(running.future, succeed, fail)

    def _show_part(self, part: float, count: int) -> None:
        for sheet in self._sheets(ImportSheet):
            if self._running is not None:
                sheet.show_part(part, count)

    def _watch(self, running: Running[Any], show: Callable[[float, int], None], owner: QObject) -> None:
        """Show how far something is, as long as it runs and `owner` is there."""
        look = QTimer(owner, interval=_LOOK_MS)

        def tick() -> None:
            if running.future.done():
                look.deleteLater()
            else:
                show(running.done, running.count)

        look.timeout.connect(tick)
        look.start()

    def _stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None
        for sheet in self._sheets(ImportSheet):
            sheet.show_start()

    def _sheets(self, kind: type[_S]) -> list[_S]:
        return [sheet for sheet in self._over.findChildren(kind) if not sheet.isHidden()]


def _close(sheet: Sheet) -> None:
    if shiboken6.isValid(sheet):
        sheet.close_card()


def _open(dialog: QFileDialog, take: Callable[[list[str]], None]) -> None:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.filesSelected.connect(take)
    dialog.open()
