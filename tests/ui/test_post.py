"""Onto the GUI thread: order, errors, and what nobody waits for."""

import logging
import sys
import threading
from concurrent.futures import Future

import pytest

from app.domain.errors import UserError
from app.ui.crash import CrashReporter
from app.ui.post import Poster


@pytest.fixture
def poster(qapp):
    return Poster()


def test_posts_run_in_order_on_the_gui_thread(poster, qtbot):
    seen = []

    def work():
        for number in range(100):
            poster.post(lambda number=number: seen.append((number, threading.current_thread())))

    thread = threading.Thread(target=work)
    thread.start()
    qtbot.waitUntil(lambda: len(seen) == 100)
    thread.join()
    assert seen == [(number, threading.main_thread()) for number in range(100)]


def test_posts_wait_for_the_event_loop(poster, qtbot):
    seen = []
    poster.post(lambda: seen.append(1))
    assert seen == []
    qtbot.waitUntil(lambda: seen == [1])


def test_a_result_arrives(poster, qtbot):
    seen = []
    future = Future()
    poster.when_done(future, seen.append)
    future.set_result(7)
    qtbot.waitUntil(lambda: seen == [7])


def test_an_error_goes_to_its_handler_else_to_the_presenter(poster, qtbot):
    handled, presented = [], []
    poster.present_with(presented.append)
    for handler in (handled.append, None):
        future = Future()
        poster.when_done(future, lambda result: pytest.fail("no result"), handler)
        future.set_exception(UserError("No."))
    qtbot.waitUntil(lambda: len(handled) == len(presented) == 1)


def test_errors_before_there_is_a_window_are_kept(poster, qtbot):
    poster.report(UserError("Early."))
    qtbot.wait(1)
    presented = []
    poster.present_with(presented.append)
    assert [str(error) for error in presented] == ["Early."]


def test_a_cancelled_future_calls_nobody(poster, qtbot):
    future = Future()
    poster.when_done(future, lambda result: pytest.fail("no result"))
    future.cancel()
    qtbot.wait(5)


def test_a_bug_in_a_future_is_raised_here(poster, qtbot):
    future = Future()
    poster.when_done(future, lambda result: None)
    with qtbot.captureExceptions() as caught:
        future.set_exception(ZeroDivisionError())
        qtbot.wait(5)
    assert [kind for kind, *_ in caught] == [ZeroDivisionError]


@pytest.fixture
def crash(poster):
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    CrashReporter(poster).install()
    presented = []
    poster.present_with(presented.append)
    yield presented
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


def test_a_bug_is_logged_without_its_words_and_said_once(crash, qtbot, caplog):
    def work(secret):
        raise ValueError(secret)

    with caplog.at_level(logging.CRITICAL, "fireside.crash"):
        for _ in range(2):
            thread = threading.Thread(target=work, args=("my private words",))
            thread.start()
            thread.join()
    qtbot.waitUntil(lambda: len(crash) == 1)
    qtbot.wait(5)
    assert len(crash) == 1
    assert len(caplog.records) == 2
    assert "ValueError" in caplog.text
    assert "test_post" in caplog.text
    assert "private" not in caplog.text


def test_an_uncaught_user_error_is_shown(crash, qtbot):
    error = UserError("Full.")
    sys.excepthook(UserError, error, None)
    qtbot.waitUntil(lambda: crash == [error])
