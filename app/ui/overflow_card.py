"""Asked in place, above the composer: what shall happen with a chat that outgrows its context?"""

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.domain.budget import Policy
from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.controls import announce
from app.ui.inspector.fields import small
from app.ui.policy_choice import PolicyChoice

_EACH_TIME = (Policy.SUMMARISE, Policy.DROP, Policy.EXTEND)


class ShortScroll(QScrollArea):
    """As high as what it holds, and lower where the window has no room for that."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setObjectName("downloads")
        content.setObjectName("downloadsContent")
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        policies = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Maximum)
        policies.setHeightForWidth(True)
        self.setSizePolicy(policies)
        content.installEventFilter(self)

    def sizeHint(self) -> QSize:
        """Return the height of what it holds at its width."""
        content = self.widget()
        return QSize(240, content.heightForWidth(max(self.width(), 240)) if content else 0)

    def minimumSizeHint(self) -> QSize:
        """Return the height of little more than one row."""
        return QSize(0, 64)

    def hasHeightForWidth(self) -> bool:
        """Return that it has."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of what it holds in `width`."""
        content = self.widget()
        return content.heightForWidth(width) if content else 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take another height when what it holds does."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class OverflowCard(QFrame):
    """Hidden until there is something to choose; what was written stays in the composer meanwhile.

    Attributes:
        choice: The ways to choose from.
        once: What is chosen holds for the next answer only.

    Signals:
        chosen: What is to happen; the card is gone then.
        left: Nothing is to happen now; the card is gone then.
    """

    chosen = Signal(Policy)
    left = Signal()

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self.setObjectName("introduction")
        self.once = False
        self._title = small("", tone="ink")
        self._words = small("")
        self.choice = PolicyChoice(appearance)
        self._go = QPushButton(_("Go on"))
        self._go.setProperty("kind", "primary")
        self._go.clicked.connect(self._choose)
        self._later = QPushButton(_("Not now"))
        self._later.setProperty("kind", "quiet")
        self._later.clicked.connect(self._leave)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(6)
        for line in (self._title, self._words):
            line.setContentsMargins(8, 0, 8, 0)
            column.addWidget(line)
        self._scroll = ShortScroll(self.choice)
        for option in self.choice.options.values():
            option.toggled.connect(lambda _on, option=option: self._scroll.ensureWidgetVisible(option))
        column.addWidget(self._scroll)
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._go)
        row.addWidget(self._later)
        row.addStretch(1)
        column.addLayout(row)
        self.hide()

    def ask(self, *, once: bool) -> None:
        """Show the ways; with `once` it was chosen to be asked each time."""
        self.once = once
        title = _("This chat is about to be longer than the model can see at once.")
        full = _("This chat is longer than the model can see at once.")
        self._title.setText(full if once else title)
        remembered = _("What shall happen? You can change it later: click the ring beside the send button.")
        self._words.setText(_("What shall happen this time?") if once else remembered)
        self.choice.offer(_EACH_TIME if once else Policy)
        self.choice.show_value(Policy.SUMMARISE)
        self.setAccessibleName(self._title.text())
        self.show()
        announce(self, self._title.text())
        self.choice.options[Policy.SUMMARISE].setFocus(Qt.FocusReason.TabFocusReason)

    def close_card(self) -> None:
        """Go away without an answer."""
        self.hide()

    def event(self, event: QEvent) -> bool:
        """Keep Esc for the card; Return goes on."""
        if isinstance(event, QKeyEvent):
            escape = event.key() == Qt.Key.Key_Escape
            if escape and event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                if escape:
                    self._leave()
                    return True
                if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                    self._choose()
                    return True
        return super().event(event)

    def _choose(self) -> None:
        self.hide()
        self.chosen.emit(self.choice.value)

    def _leave(self) -> None:
        self.hide()
        self.left.emit()
