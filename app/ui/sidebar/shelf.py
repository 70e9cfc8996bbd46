"""Keeps the list of chats true to the history, and carries out what a person does with a row."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.domain.chat import Chat, Folder
from app.domain.errors import UserError
from app.domain.language import _, plural
from app.domain.undo import Act
from app.services.history import History
from app.services.trash import TrashCan
from app.ui.post import Poster
from app.ui.sidebar.chats import ChatList

_MANY = 20  # changes at once, from which the whole list is read again


class Shelf(QObject):
    """The chats as the sidebar lists them.

    Attributes:
        chats: The rows.

    Signals:
        loaded: All chats were read.
        chat_changed: The newer row of one Chat; of many at once only that of the chat in the window.
        deleted: The ids of chats that the person has just deleted.
        done: What was done, as a sentence, and the `Act` that takes it back.
        folder_made: The id of a folder that wants a name.
    """

    loaded = Signal()
    chat_changed = Signal(object)
    deleted = Signal(list)
    done = Signal(str, object)
    folder_made = Signal(int)

    def __init__(self, poster: Poster, history: History, trash: TrashCan, chats: ChatList) -> None:
        super().__init__()
        self._poster, self._history, self._trash = poster, history, trash
        self.chats = chats
        chats.rename_requested.connect(self._rename)
        chats.folder_rename_requested.connect(self._rename_folder)

    def load(self) -> None:
        """Read all chats, and the folders before them."""

        def loaded(chats: list[Chat]) -> None:
            self.chats.set_chats(chats)
            self.loaded.emit()
            for chat in self.chats.found([self.chats.open_id]):
                self.chat_changed.emit(chat)

        self.load_folders()
        self._poster.when_done(self._history.chats(), loaded)
        self.look_for_deleted()

    def take_changes(self, ids: tuple[int, ...]) -> None:
        """Read the rows of the chats that have changed; none named, read all."""
        if not ids or len(ids) > _MANY:
            self.load()
            return
        self.look_for_deleted()
        for chat_id in ids:
            reading = self._history.changed(chat_id, ())
            self._poster.when_done(
                reading,
                lambda read: self._take(read[0]),
                lambda gone, chat_id=chat_id: self.chats.remove(chat_id),  # type: ignore[misc]
            )

    def load_folders(self) -> None:
        """Read all folders."""
        self._poster.when_done(self._history.organising.folders(), self._take_folders)

    def look_for_deleted(self) -> None:
        """See whether there is something that was deleted."""
        self._poster.when_done(self._trash.any(), self.chats.set_trash)

    def carry_out(self, what: str, ids: list[int], value: object) -> None:
        """Do to chats what the list asks for: see `ChatView.asked`."""
        organising, folder = self._history.organising, value if isinstance(value, int) else None
        try:
            match what:
                case "pin":
                    self._wait(organising.pin(ids, bool(value)))
                case "move":
                    self._wait(organising.move(ids, folder), self._moved(len(ids), folder), Act.MOVE)
                case "new-folder":
                    making = organising.new_folder(self._free_name(), ids)
                    self._poster.when_done(making, self._show_folder)
                case "tag":
                    self._wait(organising.tag(ids, str(value)))
                case "untag":
                    self._wait(organising.untag(ids, str(value)))
                case "archive":
                    act = Act.ARCHIVE if value else Act.UNARCHIVE
                    self._wait(organising.archive(ids, bool(value)), _archived(len(ids), bool(value)), act)
                case "delete":
                    self._poster.when_done(organising.delete(ids), lambda done: self.deleted.emit(ids))
        except UserError as error:
            self._poster.report(error)

    def delete_folder(self, folder_id: int) -> None:
        """Delete a folder; its chats stay."""
        name = next((each.name for each in self.chats.folders if each.id == folder_id), "")
        words = _("The folder “{name}” was deleted; its chats are still there.").format(name=name)
        self._wait(self._history.organising.delete_folder(folder_id), words, Act.DELETE_FOLDER)

    def restore(self, chat_ids: list[int], restored: Callable[[], None]) -> None:
        """Bring deleted chats back, then call `restored`: before, they cannot be opened."""
        restoring = self._history.organising.restore(chat_ids)
        self._poster.when_done(restoring, lambda done: restored())

    def _wait(self, doing: "Future[Any]", words: str = "", act: Act | None = None) -> None:
        """Tell once it is done, with `words`, if there are any."""

        def done(_result: object) -> None:
            if words and act is not None:
                self.done.emit(words, act)

        self._poster.when_done(doing, done)

    def _moved(self, count: int, folder_id: int | None) -> str:
        name = next((each.name for each in self.chats.folders if each.id == folder_id), "")
        if folder_id is None:
            return plural(
                "{count} chat is in no folder now.", "{count} chats are in no folder now.", count
            ).format(count=count)
        words = plural("{count} chat is in “{folder}” now.", "{count} chats are in “{folder}” now.", count)
        return words.format(count=count, folder=name)

    def _free_name(self) -> str:
        """Return the name of a new folder that no other has."""
        taken = {folder.name.casefold() for folder in self.chats.folders}
        name, number = _("New folder"), 1
        while name.casefold() in taken:
            number += 1
            name = _("New folder {number}").format(number=number)
        return name

    def _rename_folder(self, folder_id: int, name: str) -> None:
        try:
            self._wait(self._history.organising.rename_folder(folder_id, name))
        except UserError as error:
            self._poster.report(error)

    def _show_folder(self, made: Folder) -> None:
        def listed(folders: list[Folder]) -> None:
            self._take_folders(folders)
            self.folder_made.emit(made.id)

        self._poster.when_done(self._history.organising.folders(), listed)

    def _take_folders(self, folders: list[Folder]) -> None:
        self.chats.set_folders(folders)

    def _rename(self, chat_id: int, title: str) -> None:
        def refused(error: UserError) -> None:
            self.take_changes((chat_id,))  # the row showed the new title already
            self._poster.report(error)

        self._poster.when_done(self._history.rename(chat_id, title), lambda done: None, refused)

    def _take(self, chat: Chat) -> None:
        if not chat.incognito:
            self.chats.put(chat)
        self.chat_changed.emit(chat)


def _archived(count: int, archived: bool) -> str:
    if archived:
        words = plural("{count} chat is in the archive now.", "{count} chats are in the archive now.", count)
    else:
        words = plural(
            "{count} chat is out of the archive now.", "{count} chats are out of the archive now.", count
        )
    return words.format(count=count)
