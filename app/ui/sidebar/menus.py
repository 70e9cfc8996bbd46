"""The menus of the list of chats: of one chat or several, of a folder, and how the list is sorted."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget, QWidgetAction

from app.domain.chat import Chat
from app.domain.language import _, plural
from app.ui.appearance import Appearance
from app.ui.menus import rounded
from app.ui.sidebar.chats import ChatList
from app.ui.sidebar.grouping import Order

Ask = Callable[[str, list[int], Any], None]


def chat_menu(
    parent: QWidget,
    appearance: Appearance,
    chats: ChatList,
    chosen: Sequence[Chat],
    ask: Ask,
    *,
    rename: Callable[[], None],
    export: Callable[[list[int]], None] | None,
) -> QMenu:
    """Return what can be done with the chats that are `chosen`.

    Args:
        parent: What the menu belongs to.
        appearance: The look.
        chats: Knows all folders and tags.
        chosen: One chat or more.
        ask: Called with what is wanted, the ids of the chats, and a folder or a tag.
        rename: Called to rename the one chat.
        export: Called with the ids of what is to be written to a file; without, that is not offered.
    """
    made, icon = _menu(parent), appearance.icon
    ids = [chat.id for chat in chosen]
    if len(chosen) > 1:
        count = plural("{count} chat", "{count} chats", len(chosen)).format(count=len(chosen))
        made.addAction(count).setEnabled(False)
    else:
        made.addAction(icon("pencil"), _("Rename"), rename)
    pinned = all(chat.pinned for chat in chosen)
    made.addAction(
        icon("pin"),
        _("Unpin") if pinned else _("Pin to the top"),
        lambda: ask("pin", ids, not pinned),
    )
    _add_folders(made, appearance, chats, chosen, ask)
    _add_tags(made, appearance, chats, chosen, ask)
    archived = all(chat.archived for chat in chosen)
    made.addAction(
        icon("archive"),
        _("Take out of the archive") if archived else _("Archive"),
        lambda: ask("archive", ids, not archived),
    )
    if export is not None:
        made.addAction(icon("document"), _("Export…"), partial(export, ids))
    made.addSeparator()
    made.addAction(icon("trash"), _("Delete"), lambda: ask("delete", ids, None))
    return made


def folder_menu(
    parent: QWidget, appearance: Appearance, rename: Callable[[], None], delete: Callable[[], None]
) -> QMenu:
    """Return what can be done with a folder."""
    made = _menu(parent)
    made.addAction(appearance.icon("pencil"), _("Rename"), rename)
    made.addSeparator()
    made.addAction(appearance.icon("trash"), _("Delete the folder; its chats stay"), delete)
    return made


def order_menu(parent: QWidget, appearance: Appearance, chats: ChatList, ask: Ask) -> QMenu:
    """Return how the list can be sorted, and what makes a folder."""
    made = rounded(QMenu(parent))
    made.setAccessibleName(_("Order of the chats"))
    group = QActionGroup(made)
    names = {Order.USED: _("Last used first"), Order.NEWEST: _("Newest first"), Order.TITLE: _("By title")}
    for order, name in names.items():
        action = made.addAction(name)
        action.setCheckable(True)
        action.setData(order)
        group.addAction(action)
        action.triggered.connect(lambda _on, order=order: chats.wish(order=order))
    made.addSeparator()
    made.addAction(appearance.icon("folder"), _("New folder"), lambda: ask("new-folder", [], None))

    def tick() -> None:
        for action in group.actions():
            action.setChecked(action.data() == chats.order)

    made.aboutToShow.connect(tick)
    return made


def _menu(parent: QWidget) -> QMenu:
    made = rounded(QMenu(parent))
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return made


def _add_folders(
    menu: QMenu, appearance: Appearance, chats: ChatList, chosen: Sequence[Chat], ask: Ask
) -> None:
    ids = [chat.id for chat in chosen]
    where = {chat.folder_id for chat in chosen}
    below = rounded(QMenu(_("Move to a folder"), menu))
    below.setIcon(appearance.icon("folder"))
    for folder in chats.folders:
        action = below.addAction(folder.name.replace("&", "&&"))
        action.setCheckable(True)
        action.setChecked(where == {folder.id})
        action.triggered.connect(lambda _on, folder=folder: ask("move", ids, folder.id))
    if chats.folders:
        below.addSeparator()
    if where != {None}:
        below.addAction(_("Out of the folder"), lambda: ask("move", ids, None))
    below.addAction(_("New folder"), lambda: ask("new-folder", ids, None))
    menu.addMenu(below)


def _add_tags(menu: QMenu, appearance: Appearance, chats: ChatList, chosen: Sequence[Chat], ask: Ask) -> None:
    ids = [chat.id for chat in chosen]
    below = rounded(QMenu(_("Tags"), menu))
    below.setIcon(appearance.icon("tag"))
    field = QLineEdit()
    field.setObjectName("menuField")
    field.setPlaceholderText(_("New tag"))
    field.setAccessibleName(_("New tag"))
    entry = QWidgetAction(below)
    entry.setDefaultWidget(field)
    below.addAction(entry)
    for tag in chats.tags():
        borne = all(tag in chat.tags for chat in chosen)
        action = below.addAction(tag.replace("&", "&&"))
        action.setCheckable(True)
        action.setChecked(borne)
        action.triggered.connect(lambda _on, tag=tag, borne=borne: ask("untag" if borne else "tag", ids, tag))

    def written() -> None:
        tag = field.text()
        menu.close()
        if tag.strip():
            ask("tag", ids, tag)

    field.returnPressed.connect(written)
    below.aboutToShow.connect(lambda: field.setFocus(Qt.FocusReason.PopupFocusReason))
    menu.addMenu(below)
