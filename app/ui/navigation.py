"""The way from one chat to another, and back to the one that was open last."""

from PySide6.QtCore import QObject, Qt

from app.domain.language import _, plural
from app.domain.search_text import Phrase
from app.services.conversation import Conversation
from app.services.preferences import Preferences
from app.ui.chat_page import ChatPage
from app.ui.current_chat import CurrentChat
from app.ui.drafts import Drafts
from app.ui.frame import Frame
from app.ui.notices import Offer
from app.ui.post import Poster
from app.ui.sidebar.shelf import Shelf


class Navigation(QObject):
    """Goes to a chat: the page shows it, the sidebar marks it, the next start finds it open again."""

    def __init__(
        self,
        poster: Poster,
        preferences: Preferences,
        conversation: Conversation,
        drafts: Drafts,
        shelf: Shelf,
        chat: CurrentChat,
        page: ChatPage,
        frame: Frame,
    ) -> None:
        super().__init__(frame)
        self._poster, self._preferences, self._conversation = poster, preferences, conversation
        self._drafts = drafts
        self._shelf, self._chat, self._page, self._frame = shelf, chat, page, frame
        self._wanted: tuple[int, tuple[Phrase, ...]] | None = None
        chat.opened.connect(self._opened)
        chat.opened.connect(self._reveal)
        chat.changed.connect(self._reveal)
        chat.begun.connect(self._opened)
        shelf.deleted.connect(self._deleted)

    def resume(self) -> None:
        """Show what is unsent, or the chat that was open last, unless a person has begun something."""

        def reopen(chat_id: object) -> None:
            if isinstance(chat_id, int) and self._chat.id is None and not self._page.composer.text:
                self._chat.open(chat_id, on_error=lambda gone: None)

        self._drafts.load_new(self._show_draft)
        self._poster.when_done(self._preferences.open_chat(), reopen)

    def start_over(self) -> None:
        """Show what is there now: a backup has taken the place of all chats."""
        shown = self._chat.id
        for live in list(self._conversation.live.values()):
            if not live.started.chat.incognito:
                self._conversation.forget(live.message.chat_id)
        self._drafts.forget()
        self._shelf.load()
        if self._chat.incognito:
            return
        self._chat.begin_new()
        if shown is not None:
            self._chat.open(shown, on_error=lambda gone: None)

    def begin_new(self) -> None:
        """Go to a chat in which nothing has been said."""
        self._frame.leave_sidebar()
        self._chat.begin_new()
        self._page.composer.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def open(self, chat_id: int) -> None:
        """Go to a chat."""
        self._frame.leave_sidebar()
        self._shelf.chats.set_open(chat_id)
        if chat_id != self._chat.id:
            self._chat.open(chat_id)
        self._page.composer.setFocus(Qt.FocusReason.OtherFocusReason)

    def open_message(self, chat_id: int, message_id: int, phrases: tuple[Phrase, ...]) -> None:
        """Go to a message, in the version of its chat in which it stands, with `phrases` marked in it."""
        self._frame.leave_sidebar()
        self._wanted = message_id, phrases
        if chat_id != self._chat.id:
            self._shelf.chats.set_open(chat_id)
            self._chat.open(chat_id)
        else:
            self._reveal()

    def _reveal(self) -> None:
        if self._wanted is None or self._chat.id is None:
            return
        (message_id, phrases), self._wanted = self._wanted, None
        if any(message.id == message_id for message in self._chat.state.tree.path(self._chat.state.tip)):
            self._page.reveal(message_id, phrases)
        elif self._chat.message(message_id) is not None:
            self._wanted = message_id, phrases
            self._chat.show_version(message_id)

    def step(self, step: int) -> None:
        """Go to the chat above (-1) or below (1) in the sidebar, if there is one."""
        chat_id = self._shelf.chats.neighbour(self._chat.id, step)
        if chat_id is not None:
            self.open(chat_id)

    def _show_draft(self, text: str) -> None:
        if self._chat.id is None and not self._page.composer.text:
            self._page.composer.set_draft(text)

    def _opened(self) -> None:
        self._shelf.chats.set_open(self._chat.id)
        if not self._chat.incognito:
            self._poster.when_done(self._preferences.set_open_chat(self._chat.id), lambda done: None)

    def _deleted(self, chat_ids: list[int]) -> None:
        shown = self._chat.id if self._chat.id in chat_ids else None
        for chat_id in chat_ids:
            self._conversation.forget(chat_id)
        if shown is not None:
            self.begin_new()

        def restored() -> None:
            if shown is not None and self._chat.id is None:
                self.open(shown)

        undo = Offer(_("Undo"), lambda: self._shelf.restore(chat_ids, restored))
        count = len(chat_ids)
        words = plural("The chat was deleted.", "{count} chats were deleted.", count).format(count=count)
        self._page.notices.show_offer(words, undo)
