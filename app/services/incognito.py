"""Chats of which nothing is kept: not a word, and not what a model has read of them."""

from concurrent.futures import Future

from app.domain.chat import is_incognito
from app.services.conversation import Conversation
from app.services.undo import Undo
from app.storage.incognito import IncognitoStore


class Incognito:
    """They lie in the memory of this process, never on a disk, and in no list. All else is as in any chat.

    Lives on the thread of the conversation.

    Attributes:
        undo: The steps in them that can be taken back; they end with the chats.
    """

    def __init__(self, store: IncognitoStore, conversation: Conversation) -> None:
        self._store, self._conversation = store, conversation
        self.undo = Undo(store.chats.undo)

    def begin(self) -> "Future[int]":
        """Begin a chat; returns its id, which `Conversation` and `History` take like any other."""
        return self._store.begin()

    def keep(self, chat_id: int) -> "Future[int]":
        """Copy one into the history, whole; returns the id of the copy."""
        return self._store.keep(chat_id)

    def forget(self, chat_id: int) -> "Future[None]":
        """End all such chats, among them `chat_id`, and stop what is written in them."""
        lives = {live.message.chat_id for live in self._conversation.live.values()}
        for each in {chat_id, *filter(is_incognito, lives)}:
            self._conversation.forget(each)
        return self._store.forget()

    def close(self) -> None:
        """End the thread, and with it what is left."""
        self._store.close()
