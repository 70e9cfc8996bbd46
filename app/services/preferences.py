"""What the window remembers between two starts."""

from concurrent.futures import Future

from app.storage.preferences import PreferenceStore

_OPEN_CHAT = "open_chat"
_NEW_CHAT_DRAFT = "new_chat_draft"


class Preferences:
    """Where a person left off."""

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
