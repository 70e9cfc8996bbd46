"""Rows to show, and a transcript to show them in."""

from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication

from app.domain.chat import Message, ModelIdentity, Role, Status
from app.domain.generation import Stats, StopReason
from app.ui.fonts import code_families
from app.ui.theme import LIGHT
from app.ui.transcript.message import Row
from app.ui.transcript.view import TranscriptView

STATS = Stats(StopReason.END, 664, 612, 241, 0.2, 7.74, 0.3, 1, 16384)


def question(number: int, text: str = "") -> Row:
    return Row(Message(number, 1, number - 1 or None, Role.USER, text or f"Question {number}"), 1, (number,))


def answer(number: int, text: str = "", status: Status = Status.COMPLETE, **more) -> Row:
    versions = more.pop("versions", (number,))
    message = Message(
        number,
        1,
        number - 1 or None,
        Role.ASSISTANT,
        text,
        status,
        model=ModelIdentity("Llama 3.1 8B"),
        stats=more.pop("stats", None if status is Status.WRITING else STATS),
        **more,
    )
    return Row(message, versions.index(number) + 1, versions)


def chat(count: int, paragraphs: int = 3) -> list[Row]:
    """Return questions and answers in turn, with ids from 1; the answers differ in length."""
    text = "A paragraph that is long enough to take more than one line, so that heights differ.\n\n" * 2
    return [
        question(number)
        if number % 2
        else answer(number, f"# {number}\n\n" + text * (number % paragraphs + 1))
        for number in range(1, count + 1)
    ]


class Stage:
    """A transcript in a window of 800 by 600 pixels."""

    def __init__(self, qtbot) -> None:
        self._qtbot = qtbot
        QCursor.setPos(790, 790)  # on no message
        self.view = TranscriptView(LIGHT, mono=code_families()[0])
        qtbot.addWidget(self.view)
        self.view.resize(800, 600)
        self.view.show()

    def settle(self) -> None:
        """Wait until nothing is left to build."""
        self._qtbot.waitUntil(self.idle, timeout=20_000)
        QApplication.processEvents()

    def idle(self) -> bool:
        QApplication.processEvents()
        return self.view._building.idle

    def show(self, rows: list[Row], **how) -> None:
        self.view.set_rows(rows, **how)
        self.settle()

    @property
    def bar(self):
        return self.view.verticalScrollBar()

    def top_of(self, message_id: int) -> int:
        """Return where a living message begins in the visible part."""
        return self.view.live_rows()[message_id].y()

    def visible(self) -> list[int]:
        """Return the ids of the messages that can be seen, from top to bottom."""
        height = self.view.viewport().height()
        seen = [
            (widget.y(), id_)
            for id_, widget in self.view.live_rows().items()
            if widget.y() < height and widget.y() + widget.height() > 0
        ]
        return [id_ for _top, id_ in sorted(seen)]
