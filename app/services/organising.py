"""Folders, tags, pins, the archive and deletion, for one chat or for many at once.

Everything returns a Future that the database's threads resolve, and can be undone. Futures fail with a
UserError when a chat or folder is not there, and then nothing has changed.
"""

from collections.abc import Sequence
from concurrent.futures import Future

from app.domain.chat import Folder
from app.storage.organising import Organiser


class Organising:
    """Puts the chats on this computer in order."""

    def __init__(self, organiser: Organiser) -> None:
        self._organiser = organiser

    def folders(self) -> "Future[list[Folder]]":
        """Return all folders, in the order of their names."""
        return self._organiser.folders()

    def tags(self) -> "Future[list[str]]":
        """Return the names of all tags in use, in their order."""
        return self._organiser.tags()

    def new_folder(self, name: str, chat_ids: Sequence[int] = ()) -> "Future[Folder]":
        """Make a folder, and move chats into it.

        Raises:
            UserError: For a name that cannot be used; through the future, for one that is taken.
        """
        return self._organiser.new_folder(name, chat_ids)

    def rename_folder(self, folder_id: int, name: str) -> "Future[None]":
        """Give a folder another name.

        Raises:
            UserError: As `new_folder` does.
        """
        return self._organiser.rename_folder(folder_id, name)

    def delete_folder(self, folder_id: int) -> "Future[list[int]]":
        """Delete a folder; its chats lie in none afterwards. Returns their ids."""
        return self._organiser.delete_folder(folder_id)

    def move(self, chat_ids: Sequence[int], folder_id: int | None) -> "Future[None]":
        """Move chats into a folder; None takes them out of theirs."""
        return self._organiser.move(chat_ids, folder_id)

    def pin(self, chat_ids: Sequence[int], pinned: bool) -> "Future[None]":
        """Keep chats at the top, or no longer."""
        return self._organiser.pin(chat_ids, pinned)

    def archive(self, chat_ids: Sequence[int], archived: bool) -> "Future[None]":
        """Put chats out of the way, or back."""
        return self._organiser.archive(chat_ids, archived)

    def tag(self, chat_ids: Sequence[int], name: str) -> "Future[None]":
        """Give chats a tag; one that differs from `name` only in its case is taken instead.

        Raises:
            UserError: For a name that cannot be used.
        """
        return self._organiser.tag(chat_ids, name)

    def untag(self, chat_ids: Sequence[int], name: str) -> "Future[None]":
        """Take a tag off chats; those that do not bear it stay as they are."""
        return self._organiser.untag(chat_ids, name)

    def delete(self, chat_ids: Sequence[int]) -> "Future[None]":
        """Take chats off the list; `restore` brings them back."""
        return self._organiser.delete(chat_ids)

    def restore(self, chat_ids: Sequence[int]) -> "Future[None]":
        """Undo `delete`."""
        return self._organiser.restore(chat_ids)
