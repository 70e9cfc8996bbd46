"""What the app remembers between two starts: where a person left off, and what they have set."""

from concurrent.futures import Future

from app.storage.preferences import PreferenceStore

_OPEN_CHAT = "open_chat"
_NEW_CHAT_DRAFT = "new_chat_draft"
_NAME_CHATS = "name_chats"


class Preferences:
    """Values that outlive a start."""

    def __init__(self, store: PreferenceStore) -> None:
        self._store = store

    def open_chat(self) -> "Future[int | None]":
        """Return the id of the chat that was open last; None for a new one."""
        return self._store.get(_OPEN_CHAT)

    def set_open_chat(self, chat_id: int | None) -> "Future[None]":
        """Remember which chat is open."""
        return self._store.set(_OPEN_CHAT, chat_id)

    def new_chat_draft(self) -> "Future[str]":
        """Return what stands unsent in the chat that has not begun."""
        return self._store.get(_NEW_CHAT_DRAFT, "")

    def set_new_chat_draft(self, text: str) -> "Future[None]":
        """Keep what stands unsent in the chat that has not begun."""
        return self._store.set(_NEW_CHAT_DRAFT, text)

    def name_chats(self) -> "Future[bool]":
        """Return whether the model names chats after their first answer."""
        return self._store.get(_NAME_CHATS, True)

    def set_name_chats(self, wanted: bool) -> "Future[None]":
        """Have the model name chats, or leave them named after their first message."""
        return self._store.set(_NAME_CHATS, wanted)
