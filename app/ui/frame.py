"""The two halves of the window: a sidebar that slides away, and the page beside it."""

from PySide6.QtCore import QEasingCurve, QEvent, QObject, QRect, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.ui.motion import duration

NARROW = 760


class Frame(QWidget):
    """Lays the sidebar beside the page, or over it where the window is narrow.

    In a narrow window the sidebar is away until it is called, and leaves when it has been used.

    Signals:
        sidebar_changed: Whether the sidebar is shown now.
    """

    sidebar_changed = Signal(bool)

    def __init__(self, sidebar: QWidget, page: QWidget, *, wanted: bool) -> None:
        super().__init__()
        self.setObjectName("window")
        self._sidebar, self._page = sidebar, page
        self._wanted = wanted  # in a wide window
        self._called = False  # over a narrow one
        self._part = 1.0
        page.setParent(self)
        self._shade = Shade(self)
        sidebar.setParent(self)
        self._shade.installEventFilter(self)
        self._slide = QVariantAnimation(self, duration=duration())
        self._slide.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._slide.valueChanged.connect(self._move)

    @property
    def narrow(self) -> bool:
        """Return whether the window is too narrow for both halves."""
        return self.width() < NARROW

    @property
    def wanted(self) -> bool:
        """Return whether the person wants the sidebar in a wide window."""
        return self._wanted

    @property
    def shown(self) -> bool:
        """Return whether the sidebar is shown or on its way in."""
        return self._called if self.narrow else self._wanted

    def show_sidebar(self, shown: bool) -> None:
        """Bring the sidebar, or take it away."""
        if self.narrow:
            self._called = shown
        else:
            self._wanted = shown
        self._settle()

    def leave_sidebar(self) -> None:
        """Take the sidebar away where it covers the page: it has been used."""
        if self.narrow and self._called:
            self.show_sidebar(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the sidebar away when what it covers is clicked."""
        if watched is self._shade and isinstance(event, QMouseEvent):
            self.leave_sidebar()
            return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out anew; the sidebar goes and comes with the width."""
        super().resizeEvent(event)
        if not self.narrow:
            self._called = False
        self._settle(at_once=True)

    def _settle(self, *, at_once: bool = False) -> None:
        self._slide.stop()
        target = 1.0 if self.shown else 0.0
        if at_once or duration() == 0 or not self.isVisible():
            self._move(target)
        else:
            self._slide.setStartValue(self._part)
            self._slide.setEndValue(target)
            self._slide.start()
        self.sidebar_changed.emit(self.shown)

    def _move(self, part: float) -> None:
        self._part = part
        width = self._sidebar.width()
        inside = round(width * part)
        left = 0 if self.narrow else inside
        self._page.setGeometry(QRect(left, 0, self.width() - left, self.height()))
        self._sidebar.setGeometry(QRect(inside - width, 0, width, self.height()))
        self._sidebar.setVisible(inside > 0)
        self._shade.setGeometry(self.rect())
        self._shade.setVisible(self.narrow and inside > 0)
        self._shade.deepen(part)


class Shade(QWidget):
    """Dims the page under a sidebar that lies over it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._part = 1.0

    def deepen(self, part: float) -> None:
        """Dim by `part` of the whole, from 0 to 1."""
        self._part = part
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dimness."""
        QPainter(self).fillRect(self.rect(), QColor(0, 0, 0, round(70 * self._part)))
