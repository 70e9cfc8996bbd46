"""What stands unsent in each chat, the one that has not begun among them."""

from collections.abc import Callable

from app.domain.chat import Chat
from app.services.history import History
from app.services.preferences import Preferences
from app.ui.post import Poster


class Drafts:
    """Saves at once and remembers what it saved, as a chat may be read again before the disk has it."""

    def __init__(self, history: History, preferences: Preferences, poster: Poster) -> None:
        self._history, self._preferences, self._poster = history, preferences, poster
        self._saved: dict[int | None, str] = {}
        self._held: dict[int | None, str] = {}

    def save(self, chat_id: int | None, text: str) -> None:
        """Keep `text` for a chat; without an id, for the one that has not begun."""
        if self._saved.get(chat_id) != text:
            self._saved[chat_id] = text
            self._write(chat_id)

    def hold(self, chat_id: int | None, text: str) -> None:
        """Keep `text` as well, before what stands in the composer: it has left that, and is not sent yet."""
        if self._held.get(chat_id, "") != text:
            self._held[chat_id] = text
            self._saved.setdefault(chat_id, "")
            self._write(chat_id)

    def drop(self, chat_id: int) -> None:
        """Know nothing of a chat any more: it has ended, and nothing of it may be left."""
        self._saved.pop(chat_id, None)
        self._held.pop(chat_id, None)

    def forget(self) -> None:
        """Believe what the chats say: all of them were replaced."""
        self._saved = {key: text for key, text in self._saved.items() if key is None}
        self._held.clear()

    def _write(self, chat_id: int | None) -> None:
        text = "\n\n".join(filter(None, (self._held.get(chat_id), self._saved[chat_id])))
        if chat_id is None:
            saving = self._preferences.set_new_chat_draft(text)
        else:
            saving = self._history.save_draft(chat_id, text)
        self._poster.when_done(saving, lambda done: None)

    def of(self, chat: Chat | None) -> str:
        """Return what is unsent in a chat, or, without one, in the chat that has not begun."""
        return self._saved.get(chat.id if chat else None, chat.draft if chat else "")

    def load_new(self, on_text: Callable[[str], None]) -> None:
        """Read what the last start left in the chat that has not begun."""

        def loaded(text: str) -> None:
            if None not in self._saved and text:
                self._saved[None] = text
                on_text(text)

        self._poster.when_done(self._preferences.new_chat_draft(), loaded)
