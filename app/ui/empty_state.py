"""An empty chat: a greeting, who will answer, and four ways to begin."""

import sys

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.domain.language import _, joined
from app.domain.model import Model, Origin
from app.ui.appearance import Appearance
from app.ui.controls import label

_WIDEST = 640


class EmptyState(QWidget):
    """What stands where the transcript will be.

    Signals:
        starter_chosen: Text for the composer, and the part of it to be typed over.
        file_requested: Pick a GGUF file.
    """

    starter_chosen = Signal(str, str)
    file_requested = Signal()

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._title = label("", measure="title")
        self._below = label("", tone="soft", measure="reading")
        self._who = label("", tone="soft", measure="small")
        for line in (self._title, self._below, self._who):
            line.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            line.setWordWrap(True)
        self._starters = self._build_starters(appearance)
        self._file = QPushButton(_("Use a file I have"))
        self._file.setProperty("kind", "primary")
        self._file.clicked.connect(self.file_requested)
        self._first_run: QWidget | None = None
        middle = QWidget()
        middle.setMaximumWidth(_WIDEST)
        self._column = column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._title)
        column.addWidget(self._below)
        column.addWidget(self._starters)
        self._file_row = QWidget()
        button_row = QHBoxLayout(self._file_row)
        button_row.setContentsMargins(0, 16, 0, 0)
        button_row.addWidget(self._file, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._file_row)
        self._who.setContentsMargins(0, 10, 0, 0)
        column.addWidget(self._who)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 8, 24, 16)
        outer.addStretch(1)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(middle, 1000)
        row.addStretch(1)
        outer.addLayout(row)
        outer.addStretch(1)
        self.show_state(None, first=False, searched=False)

    def _build_starters(self, appearance: Appearance) -> QWidget:
        starters = QWidget()
        grid = QGridLayout(starters)
        grid.setContentsMargins(0, 24, 0, 0)
        grid.setSpacing(10)
        for place, (icon, name, text, marked) in enumerate(_starters()):
            button = Starter(appearance, icon, name)
            button.clicked.connect(lambda _on=False, t=text, m=marked: self.starter_chosen.emit(t, m))
            grid.addWidget(button, place // 2, place % 2)
        return starters

    def set_first_run(self, first_run: QWidget) -> None:
        """Have this in the place of the ways to begin as long as nobody has begun and no model was chosen."""
        self._first_run = first_run
        first_run.hide()
        self._column.insertWidget(2, first_run)

    def show_state(
        self, model: Model | None, *, first: bool, searched: bool, introduced: bool = False
    ) -> None:
        """Greet.

        Args:
            model: What will answer.
            first: There has never been a chat.
            searched: The models on this computer are known, so that no model means that there is none.
            introduced: There is a model to recommend to who has none of their own yet.
        """
        missing = model is None and searched
        if missing:
            self._title.setText(_("Add a model to begin"))
            self._below.setText(
                joined(
                    _("There is no model on this computer yet."),
                    ""
                    if introduced
                    else _("A GGUF file is all you need: use one you have, or drop one here."),
                )
            )
        elif first:
            on_mac = sys.platform == "darwin"
            self._title.setText(
                _("A model of your own, on this Mac")
                if on_mac
                else _("A model of your own, on this computer")
            )
            self._below.setText(_("Everything you write stays here. No account, no cloud."))
        else:
            self._title.setText(_("What is on your mind?"))
            self._below.setText(_answerer(model))
        introduced = introduced and self._first_run is not None and (first or missing)
        who = _answerer(model) if first and not introduced else ""
        self._who.setText(who)
        self._who.setVisible(bool(who))
        self._starters.setVisible(not (missing or introduced))
        self._file_row.setVisible(missing and not introduced)
        if self._first_run is not None:
            self._first_run.setVisible(introduced)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the starters out where there is no room for them."""
        super().resizeEvent(event)
        self._starters.setMaximumHeight(0 if event.size().height() < 260 else 16777215)


class Starter(QPushButton):
    """A card that begins a message."""

    def __init__(self, appearance: Appearance, icon: str, name: str) -> None:
        super().__init__()
        self.setObjectName("starter")
        self.setAccessibleName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._appearance, self._icon = appearance, icon
        self._picture = QLabel()
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(14, 13, 14, 13)
        row.setSpacing(10)
        row.addWidget(self._picture)
        row.addWidget(label(name), 1)
        for child in self.findChildren(QLabel):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        appearance.changed.connect(self._dress)
        self._dress()

    def sizeHint(self) -> QSize:
        """Return the room that the words take."""
        return self._row.sizeHint()

    def _dress(self) -> None:
        self._picture.setPixmap(self._appearance.icon(self._icon, "accent").pixmap(QSize(20, 20)))


def _answerer(model: Model | None) -> str:
    if model is None:
        return ""
    if model.origin is Origin.STARTER:
        return _("{model}, which came with Fireside, will answer.").format(model=model.name)
    return _("{model} will answer.").format(model=model.name)


def _starters() -> tuple[tuple[str, str, str, str], ...]:
    """Return icon, name, text for the composer, and the part of it that is to be typed over."""
    paste, thing = _("[paste the text here]"), _("[what you want explained]")
    goal, letter = _("[what the list is for]"), _("[who it is for, and what it should say]")
    return (
        (
            "document",
            _("Summarise a text"),
            _("Summarise this text in five sentences:") + f"\n\n{paste}",
            paste,
        ),
        (
            "search",
            _("Explain this"),
            _("Explain this in plain words, with an example: {thing}").format(thing=thing),
            thing,
        ),
        ("check", _("Make a list"), _("Make a short list: {goal}").format(goal=goal), goal),
        (
            "pencil",
            _("Write something"),
            _("Write a short letter: {letter}").format(letter=letter),
            letter,
        ),
    )
