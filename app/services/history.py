"""Chats and their messages: list, open, rename, branch, drafts, versions.

Everything returns a Future that the database's threads resolve; nothing here waits for the disk.
"""

from concurrent.futures import Future
from pathlib import Path

from app.domain.budget import Policy, Summary
from app.domain.chat import Chat, Message, Tree
from app.domain.generation import Chosen
from app.services.organising import Organising
from app.services.search import Search
from app.services.undo import Undo
from app.storage.chats import ChatStore


class History:
    """The conversations on this computer.

    Attributes:
        undo: The steps that can be taken back.
        organising: Folders, tags and the archive.
        search: What was said, found by its words.
    """

    def __init__(self, store: ChatStore) -> None:
        self._store = store
        self.undo = Undo(store.undo)
        self.organising = Organising(store.organiser)
        self.search = Search(store.search)
        self._summaries = store.summaries

    def chats(self) -> "Future[list[Chat]]":
        """Return all chats that are not deleted, pinned first, then the last used first."""
        return self._store.chats()

    def open(self, chat_id: int) -> "Future[tuple[Chat, Tree]]":
        """Return a chat with all its messages."""
        return self._store.chat(chat_id)

    def changed(self, chat_id: int, message_ids: tuple[int, ...]) -> "Future[tuple[Chat, list[Message]]]":
        """Return a chat's row and those of its messages that are among `message_ids`."""
        return self._store.changed(chat_id, message_ids)

    def probabilities(self, message_id: int) -> "Future[list[Chosen]]":
        """Return how likely each token of an answer was; empty when that was not asked for."""
        return self._store.probabilities(message_id)

    def rename(self, chat_id: int, title: str) -> "Future[None]":
        """Give a chat a title; an empty one leaves it to the first message."""
        return self._store.update_chat(chat_id, title=" ".join(title.split()))

    def pin_message(self, message_id: int, pinned: bool) -> "Future[None]":
        """Have the model always see a message, however long the chat becomes; the opposite undoes it."""
        return self._store.pin_message(message_id, pinned)

    def set_policy(self, chat_id: int, policy: Policy | None) -> "Future[None]":
        """Choose what happens when a chat outgrows its context; None leaves it open."""
        return self._store.update_chat(chat_id, policy=policy)

    def set_context(self, chat_id: int, context: int | None) -> "Future[None]":
        """Have the model see `context` tokens at once in this chat, from now on; None leaves it open."""
        return self._store.update_chat(chat_id, context=context)

    def summaries(self, chat_id: int) -> "Future[list[Summary]]":
        """Return the summaries of a chat, oldest first; `Message.summary_id` tells who read which."""
        return self._summaries.of(chat_id)

    def edit_summary(self, summary: Summary, text: str) -> "Future[None]":
        """Let a person's words stand for the messages of a summary.

        Raises:
            UserError: For an empty text.
        """
        return self._summaries.edit(summary, text)

    def set_system_prompt(self, chat_id: int, text: str) -> "Future[None]":
        """Tell the model of this chat how to behave, from the next turn on."""
        return self._store.update_chat(chat_id, system_prompt=text)

    def set_model(self, chat_id: int, path: Path) -> "Future[None]":
        """Have the model of this file answer in this chat, from the next turn on."""
        return self._store.update_chat(chat_id, model_path=str(path))

    def save_draft(self, chat_id: int, text: str) -> "Future[None]":
        """Keep what stands unsent in a chat's composer."""
        return self._store.update_chat(chat_id, draft=text)

    def show_version(self, chat_id: int, tip_id: int) -> "Future[None]":
        """Show the branch that ends in the message `tip_id`."""
        return self._store.update_chat(chat_id, tip_id=tip_id)

    def branch(self, message_id: int) -> "Future[int]":
        """Begin a new chat with the messages up to this one; returns its id."""
        return self._store.trees.branch(message_id)

    def delete_message(self, message_id: int) -> "Future[int]":
        """Delete one message, and let what follows it move up; returns the id of its chat.

        Fails with a UserError for an answer that is being written.
        """
        return self._store.trees.delete_message(message_id)

    def delete_branch(self, message_id: int) -> "Future[int]":
        """Delete a message and all that follows it, in every version; returns the id of its chat.

        Fails with a UserError while an answer is being written there.
        """
        return self._store.trees.delete_branch(message_id)
