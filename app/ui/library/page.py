"""One model on this computer: all that is known of it, and what can be done with it."""

from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtCore import QEvent, QLocale, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import _
from app.domain.model import Model, Origin
from app.ui.appearance import Appearance
from app.ui.controls import IconButton, label
from app.ui.downloads.bar import Bar
from app.ui.hub.words import age_words, parameters_words
from app.ui.inspector.fields import small
from app.ui.library.desk import LibraryDesk
from app.ui.library.words import short_sum, source_text, trouble
from app.ui.quantities import fit_part, size_text, speed_text

_LONGEST_NAME = 100
_BREAK = "\u200b"  # a line may be broken here
_DIGITS = 16  # of a sha256 between two breaks


class LibraryPage(QScrollArea):
    """One model.

    Attributes:
        path: Its file.
        title: Its name.
        editor: Where another name is written.
        use, check, show_file, remove: What can be done.
        rename: Begins to write another name.
        copy, whole: Copies the sha256; shows all of it.
        words: What is wrong, and what came of what was done.
    """

    def __init__(self, appearance: Appearance, desk: LibraryDesk, model: Model) -> None:
        super().__init__()
        self._appearance, self._desk, self.path = appearance, desk, model.path
        self.setObjectName("alternatives")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.title = label("", measure="heading")
        self.title.setWordWrap(True)
        self.rename = IconButton(appearance, "pencil", _("Rename"))
        self.rename.clicked.connect(self.begin_rename)
        self.editor = QLineEdit()
        self.editor.setObjectName("rename")
        self.editor.setAccessibleName(_("Name of the model"))
        self.editor.setMaxLength(_LONGEST_NAME)
        self.editor.setAcceptDrops(False)
        self.editor.installEventFilter(self)
        self.editor.editingFinished.connect(self._rename)
        self.editor.hide()
        meaning = _("Only Fireside calls it so; its file stays as it is. An empty name gives its own back.")
        self._hint = small(meaning)
        self._hint.hide()
        self._trouble, self._told = small("", "bad"), small("")
        self._bar, self._way = Bar(appearance), small("")
        self.use, self.check = QPushButton(_("Use it")), QPushButton(_("Check the file"))
        self.show_file, self.remove = QPushButton(_("Show in its folder")), QPushButton(_("Remove…"))
        self.copy = IconButton(appearance, "copy", _("Copy the sha256"))
        self.copy.setIconSize(QSize(14, 14))
        self.whole = QPushButton(_("Show all of it"))
        self._values: dict[str, QLabel] = {}
        self._names: dict[str, QLabel] = {}
        self._shown_whole = False
        self._placed: tuple[int, list[QPushButton]] = 0, []
        self._wire()
        self._lay_out()
        desk.changed.connect(self.refresh)
        desk.ticked.connect(self._show_progress)
        self.refresh()

    @property
    def words(self) -> str:
        """Return what is wrong, and what came of what was done."""
        shown = (self._trouble, self._told, self._way)
        return "\n".join(each.text() for each in shown if not each.isHidden())

    def value(self, key: str) -> str:
        """Return one of the facts as it is shown."""
        return self._values[key].text().replace(_BREAK, "")

    def refresh(self) -> None:
        """Show the newest."""
        desk, model = self._desk, self._desk.model
        if model is None or model.path != self.path:
            return
        self.title.setText(model.name)
        wrong, (told, tone) = trouble(model), desk.told.get(model.path, desk.said)
        self._write(self._trouble, wrong, "bad" if model.problem else "warn")
        self._write(self._told, told, tone)
        self.use.setVisible(not model.problem)
        self.check.setVisible(True)
        self.check.setEnabled(bool(model.size))
        self.show_file.setVisible(True)
        self.remove.setVisible(model.origin is not Origin.STARTER)
        self._place_buttons()
        for key, (words, tint) in self._facts(model).items():
            self._write(self._values[key], words, tint)
            self._names[key].setVisible(bool(words))
        for button in (self.copy, self.whole):
            button.setVisible(bool(model.sha256))
        self._show_progress()

    def begin_rename(self) -> None:
        """Let another name be written."""
        self.editor.setText(self.title.text())
        model = self._desk.model
        self.editor.setPlaceholderText(model.original_name if model else "")
        self._show_editor(True)
        self.editor.selectAll()
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the name as it is with Esc, which would close the card."""
        if watched is self.editor and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            if event.type() == QEvent.Type.KeyPress:
                self.editor.setText(self.title.text())
                self._leave_editor()
            return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the buttons into as many lines as they take."""
        super().resizeEvent(event)
        self._place_buttons()

    def _wire(self) -> None:
        self.use.setProperty("kind", "primary")
        self.whole.setProperty("kind", "link")
        self.whole.setProperty("measure", "small")
        for button in (self.use, self.check, self.show_file, self.remove, self.whole):
            button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.use.clicked.connect(lambda: self._with(self._desk.use))
        self.check.clicked.connect(lambda: self._with(self._check))
        self.show_file.clicked.connect(lambda: self._with(self._desk.show_in_folder))
        self.remove.clicked.connect(lambda: self._with(self._desk.ask_to_remove))
        self.copy.clicked.connect(lambda: self._with(self._desk.copy_sum))
        self.whole.clicked.connect(self._show_whole)

    def _with(self, act: Callable[[Model], object]) -> None:
        model = self._desk.model
        if model is not None:
            act(model)

    def _check(self, model: Model) -> None:
        if self._desk.progress(model) is None:
            self._desk.check(model)
        else:
            self._desk.stop_check(model)

    def _rename(self) -> None:
        if self.editor.isVisible():
            name = self.editor.text()
            self._leave_editor()
            self._with(lambda model: self._desk.rename(model, name))

    def _leave_editor(self) -> None:
        had = self.editor.hasFocus()
        self._show_editor(False)
        if had:
            self.rename.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_editor(self, shown: bool) -> None:
        self.editor.setVisible(shown)
        self._hint.setVisible(shown)
        self.title.setVisible(not shown)
        self.rename.setVisible(not shown)

    def _show_whole(self) -> None:
        self._shown_whole = not self._shown_whole
        self.whole.setText(_("Show less") if self._shown_whole else _("Show all of it"))
        self.refresh()

    def _show_progress(self) -> None:
        model = self._desk.model
        part = self._desk.progress(model) if model else None
        checking = part is not None
        self.check.setText(_("Stop the check") if checking else _("Check the file"))
        self._bar.setVisible(checking)
        words = _("All of the file is being read: {percent} %").format(percent=int(100 * (part or 0)))
        self._write(self._way, words if checking else "", "soft")
        self._bar.show_part(part or 0.0)

    def _write(self, where: QLabel, words: str, tone: str) -> None:
        if where.text() != words:
            where.setText(words)
        where.setVisible(bool(words))
        if where.property("tone") != tone:
            where.setProperty("tone", tone)
            where.style().polish(where)

    def _facts(self, model: Model) -> dict[str, tuple[str, str]]:
        """Return what is known, by its key, each with the token of its colour."""
        facts, number = self._desk.facts(model), QLocale().toString
        use, sha256 = facts.use, model.sha256
        shown = _spread(sha256) if self._shown_whole else short_sum(sha256)
        if not sha256 and not model.problem:
            shown = _("It is being computed.")
        tokens = _("{count} tokens").format(count=number(model.context)) if model.context else ""
        sums = parameters_words(model.parameters)
        parameters = _("{short} ({count})").format(short=sums, count=number(model.parameters)) if sums else ""
        said = {
            "fit": fit_part(facts),
            "writes": speed_text(use.writing) if use else "",
            "reads": speed_text(use.reading) if use else "",
            "used": age_words(datetime.fromtimestamp(use.used_at, UTC)) if use else _("not yet"),
            "size": size_text(model.size) if model.size else "",
            "quantization": model.quantization,
            "architecture": model.architecture,
            "parameters": parameters,
            "context": tokens,
            "license": model.license,
            "source": source_text(model, facts),
            "commit": short_sum(model.commit),
            "file": _breakable(str(model.path)),
            "copies": "\n".join(_breakable(str(path)) for path in model.copies),
            "sha256": shown,
        }
        return {key: each if isinstance(each, tuple) else (each, "ink") for key, each in said.items()}

    def _lay_out(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(2, 0, 10, 8)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.editor, 1)
        head.addWidget(self.rename, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        for widget in (self._hint, self._trouble):
            column.addWidget(widget)
        self._buttons = QGridLayout()
        self._buttons.setSpacing(8)
        column.addLayout(self._buttons)
        column.addWidget(self._bar)
        for widget in (self._way, self._told):
            column.addWidget(widget)
        column.addSpacing(4)
        column.addLayout(self._make_grid())
        column.addStretch(1)
        for button in (self.use, self.check, self.show_file, self.remove):
            self._buttons.addWidget(button)
        self.setWidget(content)

    def _make_grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(7)
        grid.setColumnStretch(1, 1)
        for row, (key, name) in enumerate(_names().items()):
            self._names[key] = label(name, tone="soft", measure="small")
            self._names[key].setAlignment(Qt.AlignmentFlag.AlignTop)
            self._values[key] = _value(name)
            grid.addWidget(self._names[key], row, 0)
            if key != "sha256":
                grid.addWidget(self._values[key], row, 1)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self._values["sha256"], 1)
        line.addWidget(self.whole, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(line, len(self._names) - 1, 1)
        return grid

    def _place_buttons(self) -> None:
        buttons = [
            each for each in (self.use, self.check, self.show_file, self.remove) if not each.isHidden()
        ]
        wanted = sum(button.sizeHint().width() + 8 for button in buttons)
        columns = len(buttons) if wanted <= self.viewport().width() - 12 else 2
        if (columns, buttons) == self._placed:
            return
        self._placed = columns, buttons
        for place, button in enumerate(buttons):
            self._buttons.addWidget(button, place // columns, place % columns)
        for column in range(5):
            self._buttons.setColumnStretch(column, int(column == columns == len(buttons)))


def _names() -> dict[str, str]:
    return {
        "fit": _("On this computer"),
        "writes": _("Writes"),
        "reads": _("Reads"),
        "used": _("Last used"),
        "size": _("Size"),
        "quantization": _("Quantization"),
        "architecture": _("Architecture"),
        "parameters": _("Parameters"),
        "context": _("Trained context"),
        "license": _("Licence"),
        "source": _("Source"),
        "commit": _("Commit"),
        "file": _("File"),
        "copies": _("The same file"),
        "sha256": "sha256",
    }


def _value(name: str) -> QLabel:
    """Return a label that wraps and takes all the width there is."""
    made = small("", "ink")
    made.setAccessibleName(name)
    made.setAlignment(Qt.AlignmentFlag.AlignTop)
    policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)
    made.setSizePolicy(policy)
    made.setMinimumWidth(1)
    return made


def _breakable(path: str) -> str:
    """Return a path that can be broken behind each of its folders."""
    return path.replace("/", f"/{_BREAK}").replace("\\", f"\\{_BREAK}")


def _spread(sha256: str) -> str:
    return _BREAK.join(sha256[at : at + _DIGITS] for at in range(0, len(sha256), _DIGITS))
