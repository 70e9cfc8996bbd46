"""Folders, tags, the archive and many chats at once, in the sidebar."""

from dataclasses import replace
from datetime import datetime

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QWidgetAction

from app.domain.chat import Chat, Folder
from app.ui.notices import Notice
from app.ui.sidebar.chats import ChatList, ChatRole
from app.ui.sidebar.grouping import Order
from app.ui.sidebar.menus import chat_menu, order_menu
from app.ui.sidebar.view import ChatView

NOON = datetime(2026, 3, 18, 12).timestamp()
DAY = 86_400
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
WORK, HOME = Folder(1, "Work"), Folder(2, "Home")


def chat(number: int, title: str = "", days: float = 0, **fields) -> Chat:
    when = NOON - days * DAY
    return Chat(number, title or f"Chat {number}", updated_at=when, created_at=NOON - number * DAY, **fields)


def rows(chats: ChatList) -> list[str]:
    return [chats.index(row).data() for row in range(chats.rowCount())]


@pytest.fixture
def chats(qapp) -> ChatList:
    made = ChatList(lambda: NOON)
    made.set_folders([HOME, WORK])
    made.set_chats(
        [
            chat(1, "alpha", 0.1),
            chat(2, "beta", 1, folder_id=1, tags=("idea",)),
            chat(3, "gamma", 2, folder_id=1),
            chat(4, "delta", 3, archived=True, folder_id=1),
            chat(5, "epsilon", 4, pinned=True, folder_id=2),
            chat(6, "zeta", 4),
        ]
    )
    return made


@pytest.fixture
def view(chats, appearance, qtbot) -> ChatView:
    made = ChatView(appearance, chats)
    qtbot.addWidget(made)
    made.resize(264, 700)
    with qtbot.waitExposed(made):
        made.show()
    return made


def index_of(chats: ChatList, text: str):
    return next(chats.index(row) for row in range(chats.rowCount()) if chats.index(row).data() == text)


def click(qtbot, view, text: str, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    rect = view.visualRect(index_of(view.chats, text))
    spot = QPoint(rect.left() + 30, rect.center().y())
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifiers, spot)


def test_chats_stand_in_their_places(chats):
    chats.set_trash(True)
    assert rows(chats) == [
        "Pinned", "epsilon",
        "Folders", "Home", "Work",
        "Today", "alpha", "Last week", "zeta",
        "Archive", "Recently deleted",
    ]  # fmt: skip
    work = index_of(chats, "Work")
    assert work.data(Qt.ItemDataRole.AccessibleTextRole) == "Work, 2 chats, closed"
    chats.toggle(work.data(ChatRole.ROW))
    chats.toggle(index_of(chats, "Archive").data(ChatRole.ROW))
    assert rows(chats)[3:9] == ["Home", "Work", "beta", "gamma", "Today", "alpha"]
    assert rows(chats)[-3:] == ["Archive", "delta", "Recently deleted"]
    assert index_of(chats, "beta").data(ChatRole.INDENTED)
    assert not index_of(chats, "alpha").data(ChatRole.INDENTED)
    assert index_of(chats, "beta").data(Qt.ItemDataRole.AccessibleTextRole) == "beta, tags: idea"


def test_a_search_finds_chats_wherever_they_lie(chats):
    chats.set_filter("ta")
    assert rows(chats) == ["Yesterday", "beta", "Last week", "zeta", "Archive", "delta"]
    chats.set_filter("IDEA")
    assert rows(chats) == ["Yesterday", "beta"]


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        (Order.USED, ["Today", "alpha", "Yesterday", "beta", "Last week", "gamma", "zeta"]),
        (Order.NEWEST, ["Yesterday", "alpha", "Last week", "gamma", "zeta", "beta"]),
        (Order.TITLE, ["By title", "alpha", "beta", "gamma", "zeta"]),
    ],
)
def test_orders(chats, order, wanted):
    chats.set_folders([])
    chats.put(replace(chats.found([2])[0], created_at=NOON - 7 * DAY))
    chats.wish(order=order)
    assert rows(chats)[2:-1] == wanted


def test_the_menu_of_the_order(chats, view, appearance, qtbot):
    asked = []
    menu = order_menu(view, appearance, chats, lambda *what: asked.append(what))
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["Last used first"]
    next(action for action in menu.actions() if action.text() == "By title").trigger()
    assert chats.order is Order.TITLE
    assert "By title" in rows(chats)
    next(action for action in menu.actions() if action.text() == "New folder").trigger()
    assert asked == [("new-folder", [], None)]


def test_folders_open_by_mouse_and_keyboard(view, chats, qtbot):
    click(qtbot, view, "Work")
    assert "beta" in rows(chats)
    view.setCurrentIndex(index_of(chats, "Work"))
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert "beta" not in rows(chats)
    view.setCurrentIndex(index_of(chats, "Work"))
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert "beta" in rows(chats)
    chats.set_trash(True)
    with qtbot.waitSignal(view.trash_requested):
        click(qtbot, view, "Recently deleted")
    view.setCurrentIndex(index_of(chats, "Work"))
    with qtbot.waitSignal(view.folder_deleted) as deleted:
        qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert deleted.args == [1]


def test_several_are_chosen_with_keys_and_clicks(view, chats, qtbot):
    with qtbot.assertNotEmitted(view.open_requested):
        click(qtbot, view, "alpha", CTRL)
        click(qtbot, view, "zeta", CTRL)
    assert [each.title for each in view.chosen()] == ["alpha", "zeta"]
    chats.put(chat(7, "new", -0.2))  # the rows move, what is chosen stays
    assert {each.title for each in view.chosen()} == {"alpha", "zeta"}
    with qtbot.waitSignal(view.asked) as asked:
        qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert (asked.args[0], sorted(asked.args[1])) == ("delete", [1, 6])
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert view.chosen() == []
    qtbot.keyClick(view, Qt.Key.Key_A, CTRL)
    assert len(view.chosen()) == 4
    with qtbot.waitSignal(view.open_requested) as opened:
        click(qtbot, view, "alpha")
    assert opened.args == [1]
    assert view.chosen() == []
    click(qtbot, view, "zeta", SHIFT)
    assert [each.title for each in view.chosen()] == ["alpha", "zeta"]


def menu_of(view, appearance, chats, ids, asked, export=None) -> QMenu:
    return chat_menu(
        view, appearance, chats, chats.found(ids), lambda *what: asked.append(what),
        rename=lambda: asked.append("rename"), export=export,
    )  # fmt: skip


def entry(menu: QMenu, *path: str):
    for text in path:
        action = next(action for action in menu.actions() if action.text() == text)
        menu = action.menu() or menu
    return action


def test_what_the_menu_asks_for(view, appearance, chats):
    asked: list = []
    menu = menu_of(view, appearance, chats, [2], asked)
    assert entry(menu, "Move to a folder", "Work").isChecked()
    assert entry(menu, "Tags", "idea").isChecked()
    assert "Export…" not in [action.text() for action in menu.actions()]
    entry(menu, "Move to a folder", "Home").trigger()
    entry(menu, "Move to a folder", "Out of the folder").trigger()
    entry(menu, "Move to a folder", "New folder").trigger()
    entry(menu, "Tags", "idea").trigger()
    entry(menu, "Archive").trigger()
    assert asked == [
        ("move", [2], 2),
        ("move", [2], None),
        ("new-folder", [2], None),
        ("untag", [2], "idea"),
        ("archive", [2], True),
    ]


def test_the_menu_of_several(view, appearance, chats, qtbot):
    asked: list = []
    menu = menu_of(view, appearance, chats, [1, 2], asked, export=lambda ids: asked.append(ids))
    texts = [action.text() for action in menu.actions()]
    assert texts[0] == "2 chats"
    assert "Rename" not in texts
    entry(menu, "Tags", "idea").trigger()  # not all of them bear it
    entry(menu, "Export…").trigger()
    field = next(a for a in entry(menu, "Tags").menu().actions() if isinstance(a, QWidgetAction))
    field.defaultWidget().setText("later")
    qtbot.keyClick(field.defaultWidget(), Qt.Key.Key_Return)
    assert asked == [("tag", [1, 2], "idea"), [1, 2], ("tag", [1, 2], "later")]


def drop(view, chats, ids: list[int], text: str) -> bool:
    data = chats.mimeData([chats.row_of(each) for each in ids])
    centre = QPointF(view.visualRect(index_of(chats, text)).center())
    no_key, button = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    move = Qt.DropAction.MoveAction
    enter = QDragEnterEvent(centre.toPoint(), move, data, button, no_key)
    view.dragEnterEvent(enter)
    over = QDragMoveEvent(centre.toPoint(), move, data, button, no_key)
    view.dragMoveEvent(over)
    if over.isAccepted():
        view.dropEvent(QDropEvent(centre, move, data, button, no_key))
    return over.isAccepted()


@pytest.mark.parametrize(
    ("onto", "wanted"),
    [
        ("Home", ("move", [1, 6], 2)),
        ("Pinned", ("pin", [1, 6], True)),
        ("epsilon", ("pin", [1, 6], True)),
        ("Archive", ("archive", [1, 6], True)),
        ("Recently deleted", ("delete", [1, 6], None)),
        ("beta", ("move", [1, 6], 1)),
        ("Today", None),
        ("Folders", None),
    ],
)
def test_chats_are_dragged(view, chats, onto, wanted):
    asked: list = []
    view.asked.connect(lambda *what: asked.append(what))
    chats.set_trash(True)
    chats.toggle(index_of(chats, "Work").data(ChatRole.ROW))
    assert drop(view, chats, [1, 6], onto) == (wanted is not None)
    assert asked == [wanted] * (wanted is not None)


def test_chats_are_dragged_out_of_their_folder(view, chats):
    asked: list = []
    view.asked.connect(lambda *what: asked.append(what))
    chats.toggle(index_of(chats, "Work").data(ChatRole.ROW))
    assert drop(view, chats, [2], "Today")
    assert asked == [("move", [2], None)]


# ---- the whole window


def notices(fireside) -> list[str]:
    return [notice.error for notice in fireside.window.findChildren(Notice) if not notice.closed]


@pytest.fixture
def three(fireside):
    for text in ("one", "two", "three"):
        fireside.window._go.begin_new()
        fireside.say(text)
        fireside.qtbot.waitUntil(lambda: not fireside.conversation.live)
        fireside.settle()
    return fireside


def asks(fireside, what: str, ids: list[int], value=None) -> None:
    fireside.window.sidebar.view.asked.emit(what, ids, value)
    for _round in range(3):
        fireside.settle()


def test_a_new_folder_is_named_in_place(three, qtbot):
    asks(three, "new-folder", [1])
    view = three.window.sidebar.view
    field = view.viewport().findChild(QLineEdit)
    assert field.text() == "New folder"
    field.selectAll()
    qtbot.keyClicks(field, "Work")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    three.settle()
    assert three.titles() == ["Folders", "Work", "Today", "three", "two"]
    asks(three, "move", [2], 1)
    assert notices(three)[-1] == "1 chat is in “Work” now."
    view.folder_deleted.emit(1)
    three.settle()
    assert three.titles() == ["Today", "three", "two", "one"]
    three.window.actions_by_name["undo"].trigger()
    for _round in range(3):
        three.settle()
    assert three.titles() == ["Folders", "Work", "Today", "three"]


def test_many_chats_at_once_and_back(three, qtbot):
    asks(three, "delete", [2, 3])
    assert three.titles() == ["Today", "one", "Recently deleted"]
    assert three.chat.id is None
    notice = next(each for each in three.window.findChildren(Notice) if "2 chats" in each.error)
    notice.taken(notice.offer)
    for _round in range(3):
        three.settle()
    assert three.titles() == ["Today", "three", "two", "one"]
    assert three.chat.id == 3
    asks(three, "tag", [1, 2], "idea")
    assert [each.tags for each in three.chats.found([1, 2, 3])] == [("idea",), ("idea",), ()]
    asks(three, "tag", [1], " ")
    assert "A tag needs a name" in notices(three)[-1]
    asks(three, "archive", [1, 2], True)
    assert three.titles() == ["Today", "three", "Archive"]
