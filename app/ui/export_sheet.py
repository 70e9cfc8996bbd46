"""What chats shall become, and where to."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.domain.language import _, plural
from app.services.exports.formats import Format
from app.ui.appearance import Appearance
from app.ui.downloads.bar import Bar
from app.ui.inspector.fields import small
from app.ui.inspector.inspector import Content
from app.ui.inspector.switch import Switch
from app.ui.option import Option
from app.ui.sheet import Sheet


class ExportSheet(Sheet):
    """The formats under each other, each with a line on what it is good for.

    Attributes:
        options: By format.
        branches: Whether every version is written, for the formats that can hold them.
        go: Asks where to.
        stop: Ends it, while it is being written.

    Signals:
        chosen: The format, and whether every version is wanted.
        stopped: What is on its way shall end.
    """

    SIZE = QSize(520, 560)
    chosen = Signal(Format, bool)
    stopped = Signal()

    def __init__(self, appearance: Appearance, count: int, parent: QWidget) -> None:
        super().__init__(appearance, _("Export"), parent)
        words = plural("What shall this chat become?", "What shall these {count} chats become?", count)
        self.column.addWidget(small(words.format(count=count)))
        content = Content()
        content.setObjectName("downloadsContent")
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, 8, 0)
        rows.setSpacing(2)
        self._group = QButtonGroup(self)
        self.options = {each: Option(appearance, each.label, each.purpose) for each in Format}
        for option in self.options.values():
            self._group.addButton(option)
            option.toggled.connect(self._choose)
            rows.addWidget(option)
        rows.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setObjectName("downloads")
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidget(content)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.column.addWidget(self._scroll, 1)
        self.branches = Switch(appearance, _("Every version of an answer, each as an example"))
        self.column.addWidget(self.branches)
        self.go = QPushButton(_("Choose where…"))
        self.go.setProperty("kind", "primary")
        self.go.clicked.connect(lambda: self.chosen.emit(self.value, self.branches.isChecked()))
        self._bar = Bar(appearance)
        self._bar.hide()
        self.column.addWidget(self._bar)
        self.stop = QPushButton(_("Stop"))
        self.stop.clicked.connect(self.stopped)
        self.stop.hide()
        self.foot.addStretch(1)
        self.foot.addWidget(self.stop)
        self.foot.addWidget(self.go)
        self.options[Format.MARKDOWN].setChecked(True)

    @property
    def value(self) -> Format:
        """Return what is marked."""
        return next((each for each, option in self.options.items() if option.isChecked()), Format.MARKDOWN)

    def open_formats(self) -> None:
        """Show it."""
        self.open_card(self.options[self.value])

    def show_part(self, part: float) -> None:
        """Show how much has been written, from 0 to 1; nothing can be chosen meanwhile."""
        self._bar.show_part(part)
        if self._bar.isHidden():
            self._bar.show()
            self.stop.show()
            self.go.hide()
            for widget in (self.branches, *self.options.values()):
                widget.setEnabled(False)
            self.stop.setFocus(Qt.FocusReason.OtherFocusReason)

    def _choose(self) -> None:
        self.branches.setVisible(self.value.branches)
        self._scroll.ensureWidgetVisible(self.options[self.value])
