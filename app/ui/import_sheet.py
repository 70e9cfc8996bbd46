"""Chats that come from elsewhere: where they are, what would come, and how far it is."""

from collections.abc import Sequence

from PySide6.QtCore import QLocale, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import _, plural
from app.services.importing import Found, nothing_found
from app.services.imports.words import came_words, known_words, left_out_words, versions_words
from app.ui.appearance import Appearance
from app.ui.controls import announce, label
from app.ui.downloads.bar import Bar
from app.ui.inspector.fields import small
from app.ui.inspector.inspector import Content
from app.ui.quantities import date_text
from app.ui.sheet import Sheet

_NAMED = 20


def sources() -> tuple[tuple[str, str], ...]:
    """Return which apps chats are read of, and where each of them keeps its own."""
    return (
        ("ChatGPT", _("The archive that Settings › Data controls › Export data sends you.")),
        ("Open WebUI", _("The file that Settings › Chats › Export chats saves.")),
        ("LM Studio", _("The folder .lmstudio › conversations in your own folder.")),
        ("Jan", _("The folder threads, in the data folder that its settings name.")),
        ("llama.cpp", _("What its web page saves when you export conversations.")),
        (_("Training data"), _("ShareGPT, ChatML or Alpaca, as JSON or JSON Lines.")),
        ("Fireside", _("What you exported as Everything (JSON).")),
    )


class ImportSheet(Sheet):
    """Three pages, one after the other: where from, how far, and what would come.

    Attributes:
        files, folder: Ask for what to read.
        go: Takes over what was found.

    Signals:
        files_requested: A person wants to choose files.
        folder_requested: A person wants to choose a folder.
        taken: What was found shall come.
        stopped: What is on its way shall end.
    """

    SIZE = QSize(560, 560)
    files_requested = Signal()
    folder_requested = Signal()
    taken = Signal()
    stopped = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(appearance, _("Import chats"), parent)
        self._pages = QStackedLayout()
        self.column.addLayout(self._pages, 1)
        self.files, self.folder = QPushButton(_("Choose files…")), QPushButton(_("Choose a folder…"))
        self.files.setProperty("kind", "primary")
        self.files.clicked.connect(self.files_requested)
        self.folder.clicked.connect(self.folder_requested)
        self.stop, self.go = QPushButton(_("Stop")), QPushButton()
        self.stop.clicked.connect(self.stopped)
        self.go.setProperty("kind", "primary")
        self.go.clicked.connect(self.taken)
        self.other = QPushButton(_("Choose others"))
        self.other.clicked.connect(self.show_start)
        self.foot.addStretch(1)
        for button in (self.folder, self.files, self.stop, self.other, self.go):
            self.foot.addWidget(button)
        self._bar = Bar(appearance)
        self._said = label("", measure="reading")
        self._said.setWordWrap(True)
        self._count = small("")
        self._found = _column()
        self._pages.addWidget(_scrolled(self._start()))
        self._pages.addWidget(self._progress())
        self._pages.addWidget(_scrolled(self._found))
        self.show_start()

    def open_page(self) -> None:
        """Show it, the keyboard on what is done first."""
        shown = next((each for each in (self.files, self.go, self.stop) if not each.isHidden()), self.files)
        self.open_card(shown)

    def show_start(self) -> None:
        """Show where chats can come from."""
        self._turn(0, self.folder, self.files)

    def show_progress(self, words: str) -> None:
        """Show that something is on its way; `words` say what."""
        self._said.setText(words)
        self.show_part(0.0, 0)
        self._turn(1, self.stop)
        announce(self, words)

    def show_part(self, part: float, chats: int) -> None:
        """Show how far it is, from 0 to 1, and how many chats that are."""
        self._bar.show_part(part)
        words = plural("{count} chat", "{count} chats", chats)
        self._count.setText(words.format(count=QLocale().toString(chats)) if chats else "")

    def show_found(self, found: Found) -> None:
        """Show what would come."""
        self._fill(found)
        nothing = nothing_found(found)
        words = plural("Import {count} chat", "Import {count} chats", found.chats)
        self.go.setText(words.format(count=QLocale().toString(found.chats)))
        self._turn(2, self.other, *(() if nothing else (self.go,)))
        announce(self, nothing.message if nothing else came_words(found.chats, found.messages, found.sources))

    def _start(self) -> QWidget:
        made = _column()
        rows = _layout(made)
        rows.addWidget(
            small(
                _(
                    "From other apps, with every version of an answer. Nothing is sent anywhere, and you see "
                    "what would come before anything is changed. You can also drop files on the window."
                )
            )
        )
        for name, where in sources():
            rows.addSpacing(6)
            rows.addWidget(label(name, measure="field"))
            rows.addWidget(small(where))
        rows.addStretch(1)
        return made

    def _progress(self) -> QWidget:
        made = QWidget()
        rows = QVBoxLayout(made)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(10)
        rows.addStretch(1)
        for widget in (self._said, self._bar, self._count):
            rows.addWidget(widget)
        rows.addStretch(2)
        return made

    def _fill(self, found: Found) -> None:
        rows = _layout(self._found)
        while (item := rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        nothing = nothing_found(found)
        head = nothing.message if nothing else came_words(found.chats, found.messages, found.sources)
        title = label(head, measure="reading")
        title.setWordWrap(True)
        rows.addWidget(title)
        facts = [nothing.hint] if nothing and nothing.hint else []
        if found.chats:
            first, last = date_text(found.first), date_text(found.last)
            facts.append(
                first if first == last else _("From {first} to {last}").format(first=first, last=last)
            )
        facts += [versions_words(found.versions)] * bool(found.versions)
        facts += [known_words(found.known)] * bool(found.known and found.chats)
        for fact in facts:
            rows.addWidget(small(fact))
        if found.left_out and not (nothing and found.left_out_count == 1):
            lines = [f"{each.what}: {each.reason}" for each in found.left_out]
            _list(rows, left_out_words(found.left_out_count), lines, found.left_out_count)
        _list(rows, _("Chats"), found.titles, found.chats)
        rows.addStretch(1)

    def _turn(self, page: int, *buttons: QPushButton) -> None:
        had = self.window().focusWidget()
        self._pages.setCurrentIndex(page)
        for button in (self.folder, self.files, self.stop, self.other, self.go):
            button.setVisible(button in buttons)
        if self.isVisible() and (had is None or not had.isVisible()):
            buttons[-1].setFocus(Qt.FocusReason.OtherFocusReason)


def _list(rows: QVBoxLayout, title: str, lines: Sequence[str], count: int) -> None:
    """Add the first of some lines below a title, and how many more there are."""
    if not lines:
        return
    rows.addSpacing(10)
    rows.addWidget(label(title, measure="group"))
    rows.addWidget(small("\n".join(lines[:_NAMED]), tone="ink"))  # one label is made sooner than fifty
    if more := count - len(lines[:_NAMED]):
        words = plural("and {count} more", "and {count} more", more)
        rows.addWidget(small(words.format(count=QLocale().toString(more))))


def _column() -> Content:
    made = Content()
    made.setObjectName("downloadsContent")
    rows = QVBoxLayout(made)
    rows.setContentsMargins(0, 0, 8, 0)
    rows.setSpacing(3)
    return made


def _layout(content: QWidget) -> QVBoxLayout:
    found = content.layout()
    assert isinstance(found, QVBoxLayout)  # noqa: S101 -- set by _column
    return found


def _scrolled(content: QWidget) -> QScrollArea:
    made = QScrollArea()
    made.setObjectName("downloads")
    made.setFrameShape(QFrame.Shape.NoFrame)
    made.setWidget(content)
    made.setWidgetResizable(True)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setAccessibleName(_("Import chats"))
    return made
