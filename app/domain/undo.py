"""What a person does to the history that can be undone."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.changes import Changed, Kind


class Act(StrEnum):
    """What was done, in one step."""

    SEND = "send"
    EDIT = "edit"
    REGENERATE = "regenerate"
    CONTINUE = "continue"
    SHOW_VERSION = "show-version"
    BRANCH = "branch"
    DELETE_MESSAGE = "delete-message"
    DELETE_BRANCH = "delete-branch"
    RESTORE = "restore"
    PIN_MESSAGE = "pin-message"
    UNPIN_MESSAGE = "unpin-message"
    EDIT_SUMMARY = "edit-summary"
    RENAME = "rename"
    PIN = "pin"
    UNPIN = "unpin"
    MOVE = "move"
    TAG = "tag"
    UNTAG = "untag"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    DELETE_CHAT = "delete-chat"
    NEW_FOLDER = "new-folder"
    RENAME_FOLDER = "rename-folder"
    DELETE_FOLDER = "delete-folder"
    IMPORT = "import"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Undone:
    """A step that was undone, or done again, and what has changed by that."""

    act: Act
    changes: tuple[Changed, ...] = ()

    @property
    def chats(self) -> tuple[int, ...]:
        """Return the ids of the chats it concerned."""
        found = (change.ids for change in self.changes if change.kind in (Kind.CHATS, Kind.TREES))
        return tuple(sorted({chat_id for ids in found for chat_id in ids}))
