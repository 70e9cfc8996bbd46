"""Undo and redo, and what a person does to the tree of the chat in the window."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from PySide6.QtCore import QObject

from app.domain.chat import Message
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.undo import Act, Undone
from app.domain.undo_words import redo_words, redone_words, undo_words, undone_words
from app.services.history import History
from app.services.undo import Undo
from app.ui.actions import Actions
from app.ui.chat_page import ChatPage
from app.ui.navigation import Navigation
from app.ui.notices import Offer
from app.ui.post import Poster

_OF_MESSAGES = frozenset(
    {
        *(Act.SEND, Act.EDIT, Act.REGENERATE, Act.CONTINUE, Act.SHOW_VERSION),
        *(Act.DELETE_MESSAGE, Act.DELETE_BRANCH, Act.PIN_MESSAGE, Act.UNPIN_MESSAGE, Act.EDIT_SUMMARY),
    }
)
"""What is only seen in its chat."""


class HistoryDesk(QObject):
    """Carries out what the menus say, and tells what was done."""

    def __init__(
        self,
        poster: Poster,
        history: History,
        undo_incognito: Undo,
        page: ChatPage,
        actions: Actions,
        go: Navigation,
    ) -> None:
        """Take over the actions "undo" and "redo", and what the menu of a message offers.

        Args:
            poster: The way back onto this thread.
            history: What is changed.
            undo_incognito: The steps in incognito chats; while one is shown, it is those that are undone.
            page: The chat in the window.
            actions: Where it is said what would be undone.
            go: The way to another chat.
        """
        super().__init__(page)
        self._poster, self._history, self._undo_incognito = poster, history, undo_incognito
        self._page, self._actions, self._go = page, actions, go
        page.add_commands(
            {"branch": self._branch, "delete": self._delete_message, "delete-branch": self._delete_branch}
        )
        page.chat.opened.connect(self.take_steps)
        self.take_steps()

    @property
    def _undo(self) -> Undo:
        return self._undo_incognito if self._page.chat.incognito else self._history.undo

    def take_steps(self) -> None:
        """Say in the menus what would be undone, and what done again."""
        undo, redo = self._undo.next_undo, self._undo.next_redo
        for name, act, words in (("undo", undo, undo_words), ("redo", redo, redo_words)):
            self._actions[name].setText(words(act))
            self._actions[name].setEnabled(act is not None)

    def undo(self) -> None:
        """Take the last step back."""
        self._poster.when_done(self._undo.undo(), partial(self._told, undone_words, _("Redo"), self.redo))

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._poster.when_done(self._undo.redo(), partial(self._told, redone_words, _("Undo"), self.undo))

    def offer_undo(self, message: str, act: Act) -> None:
        """Say that something was done, with a button that takes it back."""
        self._page.notices.show_offer(message, Offer(_("Undo"), partial(self._take_back, act)))

    def _take_back(self, act: Act) -> None:
        if self._undo.next_undo is act:
            self._poster.when_done(self._undo.undo(), partial(self._show, act))
        else:
            self._page.notices.show_error(
                UserError(_("Something else was done since then."), _("Undo that first, in the menu."))
            )

    def _told(
        self, words: Callable[[Act], str], opposite: str, back: Callable[[], None], undone: Undone | None
    ) -> None:
        if undone is not None:
            self._page.notices.show_offer(words(undone.act), Offer(opposite, back))
            self._show(undone.act, undone)

    def _show(self, act: Act, undone: Undone | None) -> None:
        """Go where it can be seen, and leave a chat that is no longer there."""
        chats, shown = undone.chats if undone else (), self._page.chat.id
        if shown in chats:
            self._look(shown, there=lambda: None, gone=self._go.begin_new)
        elif act in _OF_MESSAGES and len(chats) == 1:
            self._look(chats[0], there=lambda: self._go.open(chats[0]), gone=lambda: None)

    def _look(self, chat_id: int, there: Callable[[], None], gone: Callable[[], None]) -> None:
        reading = self._history.changed(chat_id, ())
        self._poster.when_done(reading, lambda read: there(), lambda error: gone())

    def _branch(self, message: Message) -> None:
        if self._page.chat.incognito:
            self._page.notices.show_error(
                UserError(
                    _("Nothing of this chat is kept, so it cannot be continued in another one."),
                    _("Keep this chat first."),
                )
            )
            return

        def begun(chat_id: int) -> None:
            self._go.open(chat_id)
            self.offer_undo(_("This is a new chat; the other one stays as it is."), Act.BRANCH)

        self._poster.when_done(self._history.branch(message.id), begun)

    def _delete_message(self, message: Message) -> None:
        self._delete(
            self._history.delete_message(message.id), _("The message was deleted."), Act.DELETE_MESSAGE
        )

    def _delete_branch(self, message: Message) -> None:
        self._delete(
            self._history.delete_branch(message.id), _("The messages were deleted."), Act.DELETE_BRANCH
        )

    def _delete(self, deleting: "Future[int]", words: str, act: Act) -> None:
        self._poster.when_done(deleting, lambda chat_id: self.offer_undo(words, act))
