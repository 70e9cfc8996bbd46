"""The sidebar: groups by the calendar, search, and what is done with a chat."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu

from app.domain.chat import Chat
from app.ui.downloads.cards import DownloadCards
from app.ui.sidebar.chats import ChatList, ChatRole
from app.ui.sidebar.sidebar import Sidebar

NOON = datetime(2026, 3, 18, 12).timestamp()
DAY = 86_400


def chat(number: int, title: str = "", days: float = 0, *, pinned: bool = False) -> Chat:
    return Chat(number, title or f"Chat {number}", pinned=pinned, updated_at=NOON - days * DAY)


def rows(chats: ChatList) -> list[str]:
    return [chats.index(row).data() for row in range(chats.rowCount())]


@pytest.fixture
def chats(qapp) -> ChatList:
    return ChatList(lambda: NOON)


@pytest.fixture
def sidebar(appearance, chats, start, qtbot) -> Sidebar:
    window = start().window
    downloads = DownloadCards(appearance, window._downloads)
    made = Sidebar(appearance, chats, window._search, downloads, QMenu())
    qtbot.addWidget(made)
    made.resize(264, 600)
    with qtbot.waitExposed(made):
        made.show()
    return made


def test_groups(chats):
    chats.set_chats(
        [
            chat(1, "old and pinned", 400, pinned=True),
            chat(2, "this morning", 0.4),
            chat(3, "last night", 0.6),
            chat(4, "six days", 6),
            chat(5, "eight days", 8),
            chat(6, "February", 30),
            chat(7, "last year", 200),
        ]
    )
    assert rows(chats) == [
        "Pinned", "old and pinned",
        "Today", "this morning",
        "Yesterday", "last night",
        "Last week", "six days",
        "March", "eight days",
        "February", "February",
        "August 2025", "last year",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "group"),
    [
        (datetime(2026, 3, 18, 0, 0), "Today"),
        (datetime(2026, 3, 17, 23, 59, 59), "Yesterday"),
        (datetime(2026, 3, 17, 0, 0), "Yesterday"),
        (datetime(2026, 3, 16, 23, 59), "Last week"),
        (datetime(2026, 3, 11, 0, 0), "Last week"),
        (datetime(2026, 3, 10, 23, 59), "March"),
    ],
)
def test_edges_of_the_groups(chats, moment, group):
    chats.set_chats([Chat(1, "x", updated_at=moment.timestamp())])
    assert rows(chats)[0] == group


def test_another_day_moves_a_chat_to_another_group(qapp):
    now = [NOON]
    chats = ChatList(lambda: now[0])
    chats.set_chats([chat(1)])
    now[0] += DAY
    chats.regroup()
    assert rows(chats)[0] == "Yesterday"


def test_a_clock_that_went_back_still_shows_every_chat(chats):
    chats.set_chats([chat(1, days=-5), chat(2, days=1)])
    assert rows(chats) == ["Today", "Chat 1", "Yesterday", "Chat 2"]


@given(
    st.lists(
        st.builds(lambda days, pinned: (days, pinned), st.floats(-2, 800, allow_nan=False), st.booleans()),
        max_size=30,
    ),
    st.data(),
)
@settings(max_examples=40, deadline=None)
def test_changes_lead_where_reading_all_anew_leads(qapp, found, data):
    made = [chat(number, days=days, pinned=pinned) for number, (days, pinned) in enumerate(found, 1)]
    step_by_step, at_once = ChatList(lambda: NOON), ChatList(lambda: NOON)
    for one in data.draw(st.permutations(made)):
        step_by_step.put(replace(one, pinned=not one.pinned))
        step_by_step.put(one)
    step_by_step.put(chat(99))
    step_by_step.remove(99)
    at_once.set_chats(made)
    assert rows(step_by_step) == rows(at_once)
    ids = [row.id for index in range(at_once.rowCount()) if (row := at_once.index(index).data(ChatRole.CHAT))]
    assert sorted(ids) == [one.id for one in made]


def test_search_takes_all_words_in_any_order(chats):
    chats.set_chats([chat(1, "Trip to Kyoto"), chat(2, "Kyoto food"), chat(3, "晚饭做什么")])
    chats.set_filter("kyoto TRIP")
    assert rows(chats) == ["Today", "Trip to Kyoto"]
    chats.set_filter("晚饭")
    assert rows(chats) == ["Today", "晚饭做什么"]
    chats.set_filter("")
    assert len(rows(chats)) == 4


def test_search_says_when_nothing_is_found(sidebar, chats, qtbot):
    chats.set_chats([chat(1)])
    sidebar.focus_search()
    qtbot.keyClicks(QApplication.focusWidget(), "zzz")
    assert rows(chats) == []
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert rows(chats) == ["Today", "Chat 1"]


def test_from_the_search_down_into_the_list_and_open(sidebar, chats, qtbot):
    chats.set_chats([chat(1), chat(2, days=1)])
    sidebar.focus_search()
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Down)
    qtbot.keyClick(sidebar.view, Qt.Key.Key_Down)
    with qtbot.waitSignal(sidebar.view.open_requested) as opened:
        qtbot.keyClick(sidebar.view, Qt.Key.Key_Return)
    assert opened.args == [2]


def test_a_click_opens_and_a_heading_does_nothing(sidebar, chats, qtbot):
    chats.set_chats([chat(1)])
    view = sidebar.view
    with qtbot.assertNotEmitted(view.open_requested):
        click(qtbot, view, chats.index(0))
    with qtbot.waitSignal(view.open_requested) as opened:
        click(qtbot, view, chats.index(1))
    assert opened.args == [1]


def click(qtbot, view, index, *, at_end: bool = False) -> None:
    rect = view.visualRect(index)
    spot = QPoint(rect.left() + (225 if at_end else 30), rect.center().y())
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)


def open_menu(qtbot, view, index) -> QMenu:
    click(qtbot, view, index, at_end=True)
    menus = [menu for menu in view.findChildren(QMenu) if menu.isVisible()]
    assert len(menus) == 1
    return menus[0]


def choose(menu: QMenu, text: str) -> None:
    action = next(action for action in menu.actions() if action.text() == text)
    action.trigger()
    menu.close()


def test_the_menu_of_a_chat_pins_and_deletes(sidebar, chats, qtbot):
    chats.set_chats([chat(1)])
    view = sidebar.view
    with qtbot.waitSignal(view.asked) as pinned:
        choose(open_menu(qtbot, view, chats.index(1)), "Pin to the top")
    assert pinned.args == ["pin", [1], True]
    chats.put(chat(1, pinned=True))
    with qtbot.waitSignal(view.asked) as pinned:
        choose(open_menu(qtbot, view, chats.index(1)), "Unpin")
    assert pinned.args == ["pin", [1], False]
    with qtbot.waitSignal(view.asked) as deleted:
        choose(open_menu(qtbot, view, chats.index(1)), "Delete")
    assert deleted.args == ["delete", [1], None]


def editor(view) -> QLineEdit:
    return view.viewport().findChild(QLineEdit)


def test_renaming_in_place(sidebar, chats, qtbot):
    chats.set_chats([chat(1, "Before")])
    choose(open_menu(qtbot, sidebar.view, chats.index(1)), "Rename")
    field = editor(sidebar.view)
    assert field.text() == "Before"
    field.selectAll()
    qtbot.keyClicks(field, "  After   that ")
    with qtbot.waitSignal(chats.rename_requested) as renamed:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert renamed.args == [1, "After that"]
    assert rows(chats) == ["Today", "After that"]


def test_escape_keeps_the_title(sidebar, chats, qtbot):
    chats.set_chats([chat(1, "Before")])
    choose(open_menu(qtbot, sidebar.view, chats.index(1)), "Rename")
    field = editor(sidebar.view)
    qtbot.keyClicks(field, "other")
    with qtbot.assertNotEmitted(chats.rename_requested):
        qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert rows(chats) == ["Today", "Before"]


def test_delete_and_rename_keys(sidebar, chats, qtbot):
    chats.set_chats([chat(1)])
    view = sidebar.view
    view.setFocus(Qt.FocusReason.TabFocusReason)
    with qtbot.waitSignal(view.asked):
        qtbot.keyClick(view, Qt.Key.Key_Delete)
    qtbot.keyClick(view, Qt.Key.Key_F2)
    assert editor(view) is not None


def test_scrolling_and_the_keyboard_stay_where_they_are(sidebar, chats, qtbot):
    chats.set_chats([chat(number, days=number / 24) for number in range(1, 500)])
    view = sidebar.view
    view.setCurrentIndex(chats.row_of(200))
    view.verticalScrollBar().setValue(3000)
    chats.put(chat(499, "moved to the top", days=-1))
    assert view.verticalScrollBar().value() == 3000
    assert view.currentIndex().data(ChatRole.CHAT).id == 200


def test_neighbours(chats):
    assert chats.neighbour(None, 1) is None
    chats.set_chats([chat(1), chat(2, days=1), chat(3, days=2)])
    assert chats.neighbour(1, 1) == 2
    assert chats.neighbour(1, -1) is None
    assert chats.neighbour(None, 1) == 1
    assert chats.neighbour(None, -1) == 3


def test_headings_are_not_reached_and_have_no_menu(chats):
    chats.set_chats([chat(1)])
    assert chats.flags(chats.index(0)) == Qt.ItemFlag.NoItemFlags
    assert chats.index(0).data(ChatRole.CHAT) is None


def test_a_chat_that_is_being_answered_says_so(chats):
    chats.set_chats([chat(1, "Fox")])
    chats.set_live([1])
    assert chats.index(1).data(ChatRole.LIVE)
    assert chats.index(1).data(Qt.ItemDataRole.AccessibleTextRole) == "Fox, being answered"
