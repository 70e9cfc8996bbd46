"""Notices: what stays, what leaves, and the one thing each offers."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QPushButton, QWidget

from app.domain.errors import UserError
from app.ui import notices as module
from app.ui.notices import Notice, Notices, Offer


@pytest.fixture
def parent(qtbot):
    QCursor.setPos(0, 0)  # a notice under the pointer stays
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(800, 600)
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.fixture
def notices(appearance, parent):
    return Notices(appearance, parent)


def shown(notices: Notices) -> list[str]:
    return [child.error for child in notices.findChildren(Notice) if not child.closed]


def button(notices: Notices, text: str) -> QPushButton:
    return next(found for found in notices.findChildren(QPushButton) if found.text() == text)


def test_an_error_stays_with_its_hint_and_action(notices, qtbot):
    chosen = []
    notices.set_offers({"choose-model": Offer("Choose a model", lambda: chosen.append(1))})
    notices.show_error(UserError("No model.", "Pick one.", "choose-model"))
    assert shown(notices) == ["No model. Pick one."]
    qtbot.mouseClick(button(notices, "Choose a model"), Qt.MouseButton.LeftButton)
    assert chosen == [1]
    assert shown(notices) == []
    assert not notices.isVisible()


def test_an_unknown_action_has_no_button(notices):
    notices.show_error(UserError("Odd.", "", "no-such-action"))
    assert notices.findChildren(QPushButton) == []


def test_offers_leave_by_themselves_and_errors_do_not(notices, qtbot, monkeypatch):
    monkeypatch.setattr(module, "_SHOWN_MS", 30)
    notices.show_error(UserError("Stays."))
    notices.show_offer("Leaves.", Offer("Undo", lambda: None))
    qtbot.waitUntil(lambda: shown(notices) == ["Stays."])


def test_an_offer_waits_while_the_keyboard_is_in_it(notices, qtbot, monkeypatch):
    monkeypatch.setattr(module, "_SHOWN_MS", 30)
    notices.show_offer("Deleted.", Offer("Undo", lambda: None))
    button(notices, "Undo").setFocus()
    qtbot.wait(100)
    assert shown(notices) == ["Deleted."]
    notices.parentWidget().setFocus()
    qtbot.waitUntil(lambda: shown(notices) == [])


def test_the_same_error_is_said_once(notices):
    for _ in range(5):
        notices.show_error(UserError("The disk is full."))
    assert shown(notices) == ["The disk is full."]


def test_what_an_error_offered_is_not_lost_when_it_is_said_again(notices, qtbot):
    tried = []
    notices.set_offers({"retry-save": Offer("Try again", lambda: tried.append(1))})
    notices.show_error(UserError("The disk is full.", "", "retry-save"))
    notices.show_error(UserError("The answer is not saved.", "", "retry-save"))
    notices.show_error(UserError("The disk is full."))
    qtbot.mouseClick(button(notices, "Try again"), Qt.MouseButton.LeftButton)
    assert tried == [1]
    assert shown(notices) == []  # one offer, one answer to both


def test_no_more_than_three(notices):
    for number in range(6):
        notices.show_error(UserError(f"Problem {number}."))
    assert shown(notices) == ["Problem 3.", "Problem 4.", "Problem 5."]


def test_the_newest_is_closed_first(notices):
    notices.show_error(UserError("One."))
    notices.show_error(UserError("Two."))
    assert notices.dismiss_newest()
    assert shown(notices) == ["One."]
    assert notices.dismiss_newest()
    assert not notices.dismiss_newest()


@pytest.mark.parametrize("width", [640, 1180])
def test_long_words_stay_inside_and_above_the_composer(notices, parent, qtbot, width):
    parent.resize(width, 480)
    notices.set_bottom(120)
    notices.show_error(UserError("A long sentence that goes on. " * 8, "And a hint. " * 8))
    qtbot.wait(10)
    assert notices.geometry().bottom() <= 480 - 120
    assert notices.width() <= width
    notice = notices.findChild(Notice)
    assert notice.height() >= notice.heightForWidth(notice.width())
