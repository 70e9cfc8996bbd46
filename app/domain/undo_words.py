"""What can be taken back, in words."""

from app.domain.language import _
from app.domain.undo import Act


def act_words(act: Act) -> str:
    """Return what was done, as it stands behind "Undo:"."""
    return {
        Act.SEND: _("send message"),
        Act.EDIT: _("edit message"),
        Act.REGENERATE: _("answer again"),
        Act.CONTINUE: _("continue the answer"),
        Act.SHOW_VERSION: _("show another version"),
        Act.BRANCH: _("continue in a new chat"),
        Act.DELETE_MESSAGE: _("delete message"),
        Act.DELETE_BRANCH: _("delete messages"),
        Act.RESTORE: _("bring back"),
        Act.PIN_MESSAGE: _("pin message"),
        Act.UNPIN_MESSAGE: _("unpin message"),
        Act.EDIT_SUMMARY: _("edit summary"),
        Act.RENAME: _("rename chat"),
        Act.PIN: _("pin chat"),
        Act.UNPIN: _("unpin chat"),
        Act.MOVE: _("move to a folder"),
        Act.TAG: _("add tag"),
        Act.UNTAG: _("remove tag"),
        Act.ARCHIVE: _("archive"),
        Act.UNARCHIVE: _("take out of the archive"),
        Act.DELETE_CHAT: _("delete chat"),
        Act.NEW_FOLDER: _("new folder"),
        Act.RENAME_FOLDER: _("rename folder"),
        Act.DELETE_FOLDER: _("delete folder"),
        Act.IMPORT: _("import"),
        Act.KEEP: _("keep chat"),
    }[act]


def undo_words(act: Act | None) -> str:
    """Return what the menu offers to take back; without `act` there is nothing."""
    return _("Undo") if act is None else _("Undo: {act}").format(act=act_words(act))


def redo_words(act: Act | None) -> str:
    """Return what the menu offers to do again; without `act` there is nothing."""
    return _("Redo") if act is None else _("Redo: {act}").format(act=act_words(act))


def undone_words(act: Act) -> str:
    """Return what is said of a step that was just taken back."""
    return _("Undone: {act}").format(act=act_words(act))


def redone_words(act: Act) -> str:
    """Return what is said of a step that was just done again."""
    return _("Done again: {act}").format(act=act_words(act))
