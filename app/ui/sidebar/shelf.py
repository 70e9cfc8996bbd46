"""Keeps the list of chats true to the history, and carries out what a person does with a row."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.domain.chat import Chat
from app.domain.errors import UserError
from app.services.history import History
from app.ui.post import Poster
from app.ui.sidebar.chats import ChatList

_MANY = 20  # changes at once, from which the whole list is read again


class Shelf(QObject):
    """The chats as the sidebar lists them.

    Attributes:
        chats: The rows.

    Signals:
        loaded: All chats were read.
        chat_changed: The newer row of one Chat.
        deleted: The id of a chat that the person has just deleted.
    """

    loaded = Signal()
    chat_changed = Signal(object)
    deleted = Signal(int)

    def __init__(self, poster: Poster, history: History, chats: ChatList) -> None:
        super().__init__()
        self._poster, self._history = poster, history
        self.chats = chats
        chats.rename_requested.connect(self._rename)

    def load(self) -> None:
        """Read all chats."""

        def loaded(chats: list[Chat]) -> None:
            self.chats.set_chats(chats)
            self.loaded.emit()
            for chat in chats:
                self.chat_changed.emit(chat)

        self._poster.when_done(self._history.chats(), loaded)

    def take_changes(self, ids: tuple[int, ...]) -> None:
        """Read the rows of the chats that have changed; none named, read all."""
        if not ids or len(ids) > _MANY:
            self.load()
            return
        for chat_id in ids:
            reading = self._history.changed(chat_id, ())
            self._poster.when_done(
                reading,
                lambda read: self._take(read[0]),
                lambda gone, chat_id=chat_id: self.chats.remove(chat_id),  # type: ignore[misc]
            )

    def pin(self, chat_id: int, pinned: bool) -> None:
        """Keep a chat at the top, or no longer."""
        self._poster.when_done(self._history.pin(chat_id, pinned), lambda done: None)

    def delete(self, chat_id: int) -> None:
        """Take a chat off the list."""
        self._poster.when_done(self._history.delete(chat_id), lambda done: self.deleted.emit(chat_id))

    def restore(self, chat_id: int, restored: Callable[[], None]) -> None:
        """Undo `delete`, then call `restored`: before, the chat cannot be opened."""
        self._poster.when_done(self._history.restore(chat_id), lambda done: restored())

    def _rename(self, chat_id: int, title: str) -> None:
        def refused(error: UserError) -> None:
            self.take_changes((chat_id,))  # the row showed the new title already
            self._poster.report(error)

        self._poster.when_done(self._history.rename(chat_id, title), lambda done: None, refused)

    def _take(self, chat: Chat) -> None:
        self.chats.put(chat)
        self.chat_changed.emit(chat)
