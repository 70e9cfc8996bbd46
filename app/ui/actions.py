"""Everything the keyboard can do, in one table: the menus, the shortcuts and their rebinding read it."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from app.domain.language import _

_MAC = sys.platform == "darwin"
_ROLES = {"quit": QAction.MenuRole.QuitRole, "settings": QAction.MenuRole.PreferencesRole}  # a Mac's places


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the table.

    Attributes:
        name: What handlers and rebound shortcuts call it.
        menu: Title of the menu it stands in.
        text: What the menu says.
        keys: Shortcuts as Qt writes them, where "Ctrl" is ⌘ on a Mac; the menu shows the first.
    """

    name: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()


def table() -> tuple[Entry, ...]:
    """Return every action in the order of the menus."""
    chat, edit, message, view = _("Chat"), _("Edit"), _("Message"), _("View")
    return (
        Entry("new-chat", chat, _("New chat"), ("Ctrl+N",)),
        Entry("incognito-chat", chat, _("Incognito chat"), ("Ctrl+Shift+N",)),
        Entry("choose-model", chat, _("Choose a model…"), ("Ctrl+L" if _MAC else "Ctrl+M",)),
        Entry("find-models", chat, _("Find models…"), ("Ctrl+Shift+M",)),
        Entry("library", chat, _("Models on this computer…"), ("Ctrl+Shift+L",)),
        Entry("add-model", chat, _("Add a GGUF file…")),
        Entry("unload-model", chat, _("Unload the model")),
        Entry("previous-chat", chat, _("Previous chat"), ("Ctrl+Shift+[",)),
        Entry("next-chat", chat, _("Next chat"), ("Ctrl+Shift+]",)),
        Entry("import-chats", chat, _("Import chats…")),
        Entry("export-chat", chat, _("Export this chat…")),
        Entry("export-all", chat, _("Export all chats…")),
        Entry("copy-chat", chat, _("Copy this chat as Markdown")),
        Entry("deleted", chat, _("Recently deleted…")),
        Entry("settings", chat, _("Settings…"), ("Ctrl+,",)),
        Entry("quit", chat, _("Quit Fireside"), ("Ctrl+Q",)),
        Entry("undo", edit, _("Undo"), ("Ctrl+Z",)),
        Entry("redo", edit, _("Redo"), ("Ctrl+Shift+Z", "Ctrl+Y")),
        Entry("budget", message, _("What goes into the context…"), ("Ctrl+Shift+B",)),
        Entry("stop", message, _("Stop the answer"), ("Esc",)),
        Entry("regenerate", message, _("Answer again"), ("Ctrl+R",)),
        Entry("edit-last", message, _("Edit my last message")),
        Entry("copy-last", message, _("Copy the last answer"), ("Ctrl+Shift+C",)),
        Entry("sidebar", view, _("Show or hide the chats"), ("Ctrl+\\",)),
        Entry("inspector", view, _("Show or hide the settings of the model"), ("Ctrl+I",)),
        Entry("find-in-chat", view, _("Find in this chat…"), ("Ctrl+F",)),
        Entry("find-next", view, _("Next match"), ("F3", "Ctrl+G")),
        Entry("find-previous", view, _("Previous match"), ("Shift+F3", "Ctrl+Shift+G")),
        Entry("find-chat", view, _("Search all chats"), ("Ctrl+Shift+F",)),
        Entry("network", view, _("What was asked over the network")),
        Entry("zoom-in", view, _("Larger text"), ("Ctrl++", "Ctrl+=")),
        Entry("zoom-out", view, _("Smaller text"), ("Ctrl+-",)),
        Entry("zoom-reset", view, _("Normal text size"), ("Ctrl+0",)),
    )


class Actions:
    """The table as Qt actions of one window."""

    def __init__(
        self,
        window: QWidget,
        handlers: Mapping[str, Callable[[], None]],
        rebound: Mapping[str, str] | None = None,
    ) -> None:
        """Make one action for each row.

        Args:
            window: Where the shortcuts work.
            handlers: What each name does; every row needs one.
            rebound: Shortcuts that a person has put in the place of a row's own, by name.
        """
        self._menus: dict[str, list[QAction]] = {}
        self._by_name: dict[str, QAction] = {}
        for entry in table():
            action = QAction(entry.text, window)
            keys = (rebound[entry.name],) if rebound and entry.name in rebound else entry.keys
            action.setShortcuts([QKeySequence(key) for key in keys])
            action.triggered.connect(lambda _checked, run=handlers[entry.name]: run())
            action.setMenuRole(_ROLES.get(entry.name, QAction.MenuRole.NoRole))
            window.addAction(action)
            self._by_name[entry.name] = action
            self._menus.setdefault(entry.menu, []).append(action)

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def keys(self, name: str) -> str:
        """Return the shortcut of an action as this system writes it, or an empty text."""
        return self[name].shortcut().toString(QKeySequence.SequenceFormat.NativeText)

    def fill_bar(self, bar: QMenuBar) -> None:
        """Write the menus of a Mac's menu bar."""
        for title, actions in self._menus.items():
            bar.addMenu(title).addActions(actions)

    def fill_menu(self, menu: QMenu) -> None:
        """Write all menus into one, a separator between them."""
        for actions in self._menus.values():
            menu.addActions(actions)
            menu.addSeparator()
