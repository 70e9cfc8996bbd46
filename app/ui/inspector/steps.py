"""A slider over a few sizes, with a mark for each."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.inspector.creativity import Slider
from app.ui.quantities import context_text

_HANDLE = 16  # pixels of the slider's thumb, which the first and the last mark stand under the middle of


class Marks(QWidget):
    """A dot under each step; the trained size is written out, what does not fit is red."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._sizes: Sequence[int] = ()
        self._large: frozenset[int] = frozenset()
        self._trained = 0
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        appearance.changed.connect(self.updateGeometry)

    def show_marks(self, sizes: Sequence[int], trained: int, large: frozenset[int]) -> None:
        """Mark `sizes`, of which those in `large` do not fit into memory."""
        self._sizes, self._trained, self._large = sizes, trained, large
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for the dots and a line of small text."""
        return QSize(100, 14 + QFontMetrics(self._appearance.font(11.5)).height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dots, and the words under the first, the trained and the last one."""
        look = self._appearance
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(look.font(11.5))
        count = len(self._sizes)
        metrics, taken = painter.fontMetrics(), [QRectF()]
        words = {self._trained: _("trained for {size}").format(size=context_text(self._trained))}
        ends = [self._trained, *self._sizes[:1], *self._sizes[-1:]]
        for number, size in enumerate(self._sizes):
            at = _HANDLE / 2 + (self.width() - _HANDLE) * number / max(count - 1, 1)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("bad" if size in self._large else "soft"))
            radius = 3.0 if size == self._trained else 2.0
            painter.drawEllipse(QPointF(at, 5), radius, radius)
        for size in dict.fromkeys(ends):
            if size not in self._sizes:
                continue
            at = _HANDLE / 2 + (self.width() - _HANDLE) * self._sizes.index(size) / max(count - 1, 1)
            text = words.get(size) or context_text(size)
            width = metrics.horizontalAdvance(text)
            left = min(max(at - width / 2, 0), self.width() - width)
            room = QRectF(left, 11, width, self.height() - 11)
            if any(room.adjusted(-8, 0, 8, 0).intersects(each) for each in taken):
                continue
            taken.append(room)
            painter.setPen(look.color("bad" if size in self._large else "soft"))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)


class Steps(QWidget):
    """The slider and its marks.

    Attributes:
        slider: Its values are the numbers of the steps.

    Signals:
        moved: To which size, by mouse or key.
    """

    moved = Signal(int)

    def __init__(self, appearance: Appearance, name: str) -> None:
        super().__init__()
        self._sizes: list[int] = []
        self._name = name
        self.slider = Slider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(name)
        self.slider.setPageStep(1)
        self.slider.setMinimumHeight(22)
        self.slider.valueChanged.connect(self._move)
        self._marks = Marks(appearance)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.slider)
        column.addWidget(self._marks)

    @property
    def size_shown(self) -> int:
        """Return the size under the thumb."""
        return self._sizes[self.slider.value()] if self._sizes else 0

    def offer(self, sizes: list[int], trained: int, large: frozenset[int]) -> None:
        """Offer `sizes`, in ascending order."""
        self._sizes = sizes
        self.slider.blockSignals(True)
        self.slider.setRange(0, len(sizes) - 1)
        self.slider.blockSignals(False)
        self._marks.show_marks(sizes, trained, large)

    def show_size(self, size: int) -> None:
        """Put the thumb on one of the sizes."""
        self.slider.blockSignals(True)
        self.slider.setValue(self._sizes.index(size))
        self.slider.blockSignals(False)
        self._tell(size)

    def _move(self, number: int) -> None:
        self._tell(self._sizes[number])
        self.moved.emit(self._sizes[number])

    def _tell(self, size: int) -> None:
        self.slider.setAccessibleDescription(_("{size} tokens").format(size=context_text(size)))
