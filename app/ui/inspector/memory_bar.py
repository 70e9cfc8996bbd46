"""What a model takes of the memory there is, as one bar in four colours, and in words."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.controls import label
from app.ui.quantities import size_text

if TYPE_CHECKING:
    from app.services.outlook import Take

_TIGHT = 0.85  # of the memory there is; beyond that other programs will feel it
_COLORS = ("accent", "warn", "good", "soft")


class Bar(QWidget):
    """Shares of a whole beside each other."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._shares: tuple[float, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        appearance.changed.connect(self.update)

    def show_shares(self, shares: tuple[float, ...]) -> None:
        """Show `shares`, each from 0 to 1."""
        self._shares = shares
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the bar."""
        return QSize(100, 10)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the shares from the left, inside of rounded ends."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(0, 0, self.width(), self.height())
        clip = QPainterPath()
        clip.addRoundedRect(whole, 5, 5)
        painter.setClipPath(clip)
        painter.fillRect(whole, self._appearance.color("hover"))
        left = 0.0
        for share, token in zip(self._shares, _COLORS, strict=False):
            width = share * whole.width()
            painter.fillRect(QRectF(left, 0, width, whole.height()), self._appearance.color(token))
            left += width


class Dot(QWidget):
    """The colour of one share."""

    def __init__(self, appearance: Appearance, token: str) -> None:
        super().__init__()
        self._appearance, self._token = appearance, token
        self.setFixedSize(8, 8)
        appearance.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._appearance.color(self._token))
        painter.drawEllipse(self.rect())


class MemoryUse(QWidget):
    """The bar, what each colour stands for, and whether there is room for all of it.

    Attributes:
        verdict: Whether it fits, in words.
    """

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._bar = Bar(appearance)
        self.verdict = label("", measure="small")
        self._free = label("", tone="soft", measure="small")
        self._sizes = [label("", measure="small") for _color in _COLORS]
        names = (_("Model"), _("Memory of the conversation"), _("Working space"), _("All else"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        right = Qt.AlignmentFlag.AlignRight
        for row, (token, name, size) in enumerate(zip(_COLORS, names, self._sizes, strict=True)):
            grid.addWidget(Dot(appearance, token), row, 0)
            grid.addWidget(label(name, tone="soft", measure="small"), row, 1)
            grid.addWidget(size, row, 2, right)
        grid.addWidget(self.verdict, len(names), 0, 1, 2)
        grid.addWidget(self._free, len(names), 1, 1, 2, right)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._bar)
        column.addLayout(grid)

    def show_take(self, take: "Take", available: int) -> None:
        """Show what is taken of `available` bytes."""
        parts = (take.weights, take.conversation, take.workspace, take.rest)
        whole = max(available, take.total, 1)
        self._bar.show_shares(tuple(part / whole for part in parts))
        for size, part in zip(self._sizes, parts, strict=True):
            size.setText(size_text(part))
        tone, words = verdict(take.total, available)
        retone(self.verdict, tone)
        self.verdict.setText(words)
        self._free.setText(_("{size} free for models").format(size=size_text(available)))


def verdict(total: int, available: int) -> tuple[str, str]:
    """Return whether `total` bytes fit into `available`, as a colour and in words."""
    if total > available:
        return "bad", _("Too large")
    if total > _TIGHT * available:
        return "warn", _("Tight")
    return "good", _("Fits well")


def retone(words: QLabel, tone: str) -> None:
    """Give words another colour."""
    if words.property("tone") != tone:
        words.setProperty("tone", tone)
        words.style().unpolish(words)
        words.style().polish(words)
