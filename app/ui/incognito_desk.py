"""Incognito chats in the window: how one begins, and what is asked before it ends."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from app.domain.errors import UserError
from app.domain.language import _
from app.services.incognito import Incognito
from app.ui.chat_page import ChatPage
from app.ui.drafts import Drafts
from app.ui.navigation import Navigation
from app.ui.post import Poster


class IncognitoDesk(QObject):
    """Begins such chats, keeps them when that is asked for, and ends each that is left.

    Signals:
        stayed: The person was about to leave one, and did not.
    """

    stayed = Signal()

    def __init__(
        self,
        poster: Poster,
        incognito: Incognito,
        page: ChatPage,
        drafts: Drafts,
        go: Navigation,
        over: QWidget,
    ) -> None:
        """Stand between the chat that is shown and every way to another one.

        Args:
            poster: The way back onto this thread.
            incognito: The chats.
            page: The chat in the window.
            drafts: What is unsent in each.
            go: The way to another chat.
            over: What a question lies over.
        """
        super().__init__(over)
        self._poster, self._incognito, self._go = poster, incognito, go
        self._page, self._chat, self._drafts, self._over = page, page.chat, drafts, over
        self._shown: int | None = None
        self._agreed = False
        self._box: QMessageBox | None = None
        self._chat.set_guard(self.leave)
        self._chat.opened.connect(self._opened)
        page.veil.keep_requested.connect(lambda: self.keep(lambda: None))

    def begin(self) -> None:
        """Show a new one."""
        self.leave(self._begin)

    def leave(self, go: Callable[[], None]) -> None:
        """Call `go`, which leads to another chat, unless the person would rather stay in this one."""
        if self._agreed or not self._would_lose:
            go()
        else:
            self._ask(go)

    def may_close(self, close: Callable[[], object]) -> bool:
        """Return whether the window may close; where it asks first, `close` is called after a yes."""
        if self._agreed or not self._would_lose:
            return True
        self._ask(close)
        return False

    def agree(self) -> None:
        """Ask nothing any more: the system ends this program."""
        self._agreed = True

    def keep(self, go: Callable[[], None]) -> None:
        """Move the chat that is shown into the history, and call `go` from there."""
        if self._chat.answering:
            self._page.notices.show_error(
                UserError(
                    _("An answer is still being written in this chat."),
                    _("Wait until it is finished, or stop it first."),
                )
            )
            self.stayed.emit()
            return
        self._page.save_draft()

        def kept(chat_id: int) -> None:
            self._without_asking(lambda: self._chat.open(chat_id))
            self._page.notices.show_offer(_("This chat is in your history now."))
            go()

        if self._chat.id is not None:
            self._poster.when_done(self._incognito.keep(self._chat.id), kept)

    @property
    def _would_lose(self) -> bool:
        chat = self._chat
        return chat.incognito and bool(chat.state.tip or chat.answering or self._page.unsent)

    def _begin(self) -> None:
        if self._chat.incognito:
            self._without_asking(self._chat.begin_new)
        self._poster.when_done(self._incognito.begin(), self._go.open)

    def _without_asking(self, go: Callable[[], object]) -> None:
        before, self._agreed = self._agreed, True
        go()
        self._agreed = before

    def _ask(self, go: Callable[[], object]) -> None:
        if self._box is not None:
            return
        box = self._box = QMessageBox(self._over)
        box.setWindowTitle(_("Incognito chat"))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(_("Discard this incognito chat?"))
        box.setInformativeText(_("It is only in memory. Once you leave it, nobody can bring it back."))
        discard = box.addButton(_("Discard"), QMessageBox.ButtonRole.DestructiveRole)
        keep = box.addButton(_("Keep this chat"), QMessageBox.ButtonRole.ActionRole)
        stay = box.addButton(_("Stay here"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        discard.clicked.connect(lambda: self._without_asking(go))
        keep.clicked.connect(lambda: self.keep(lambda: self._without_asking(go)))
        stay.clicked.connect(self.stayed)
        box.finished.connect(self._closed)
        box.open()

    def _closed(self) -> None:
        if self._box is not None:
            self._box.deleteLater()
            self._box = None

    def _opened(self) -> None:
        left, self._shown = self._shown, self._chat.id if self._chat.incognito else None
        if left is not None and self._shown is None:
            self._drafts.drop(left)
            self._incognito.forget(left)
