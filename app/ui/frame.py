"""The parts of the window: a page, and beside or over it the chats and the inspector."""

from PySide6.QtCore import QEasingCurve, QEvent, QObject, QRect, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.ui.motion import duration

NARROW = 760
NARROWEST_PAGE = 480


class Side(QObject):
    """What stands beside the page, or over it where there is no room for both.

    Over the page it is away until it is called, and leaves when it has been used.

    Attributes:
        widget: What slides in and out; its width is fixed.
        wanted: Whether the person wants it where there is room.
        over: Whether it lies over the page now.
        part: How much of it is in, from 0 to 1.

    Signals:
        moved: It is further in, or out.
    """

    moved = Signal()

    def __init__(self, widget: QWidget, parent: QWidget, *, wanted: bool) -> None:
        super().__init__(parent)
        widget.setParent(parent)
        self.widget, self.wanted = widget, wanted
        self.over = False
        self.part = 1.0 if wanted else 0.0
        self._called = False
        self._slide = QVariantAnimation(self, duration=duration())
        self._slide.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._slide.valueChanged.connect(self._move)

    @property
    def shown(self) -> bool:
        """Return whether it is shown or on its way in."""
        return self._called if self.over else self.wanted

    @property
    def inside(self) -> int:
        """Return how many pixels of it are in."""
        return round(self.widget.width() * self.part)

    @property
    def beside(self) -> int:
        """Return how many pixels it takes from the page."""
        return 0 if self.over else self.inside

    def call(self, shown: bool) -> None:
        """Bring it, or take it away; `settle` does the rest."""
        if self.over:
            self._called = shown
        else:
            self.wanted = shown

    def lie_over(self, over: bool) -> None:
        """Stand over the page, or beside it."""
        if over != self.over:
            self.over, self._called = over, False

    def settle(self, *, at_once: bool) -> None:
        """Go where it belongs."""
        self._slide.stop()
        target = 1.0 if self.shown else 0.0
        if at_once or duration() == 0 or not self.widget.window().isVisible():
            self._move(target)
        elif target != self.part:
            self._slide.setStartValue(self.part)
            self._slide.setEndValue(target)
            self._slide.start()

    def _move(self, part: float) -> None:
        self.part = part
        self.moved.emit()


class Frame(QWidget):
    """Lays the three beside each other, or the sides over the page where the window is narrow.

    Signals:
        sidebar_changed: Whether the sidebar is shown now.
        inspector_changed: Whether the inspector is shown now.
    """

    sidebar_changed = Signal(bool)
    inspector_changed = Signal(bool)

    def __init__(
        self, sidebar: QWidget, page: QWidget, inspector: QWidget, *, wanted: bool, inspector_wanted: bool
    ) -> None:
        super().__init__()
        self.setObjectName("window")
        self._page = page
        page.setParent(self)
        self._shade = Shade(self)
        self._shade.installEventFilter(self)
        self._sidebar = Side(sidebar, self, wanted=wanted)
        self._inspector = Side(inspector, self, wanted=inspector_wanted)
        for side in (self._sidebar, self._inspector):
            side.moved.connect(self._place)
        inspector.installEventFilter(self)

    @property
    def narrow(self) -> bool:
        """Return whether the window is too narrow for the page and the sidebar."""
        return self.width() < NARROW

    @property
    def wanted(self) -> bool:
        """Return whether the person wants the sidebar in a wide window."""
        return self._sidebar.wanted

    @property
    def inspector_wanted(self) -> bool:
        """Return whether the person wants the inspector in a wide window."""
        return self._inspector.wanted

    @property
    def shown(self) -> bool:
        """Return whether the sidebar is shown or on its way in."""
        return self._sidebar.shown

    @property
    def inspector_shown(self) -> bool:
        """Return whether the inspector is shown or on its way in."""
        return self._inspector.shown

    @property
    def inspector_over(self) -> bool:
        """Return whether the inspector lies over the page when it is shown."""
        return self._inspector.over

    def show_sidebar(self, shown: bool) -> None:
        """Bring the sidebar, or take it away."""
        self._sidebar.call(shown)
        if shown and self._sidebar.over:
            self._inspector.call(self._inspector.shown and not self._inspector.over)
        self._settle()

    def show_inspector(self, shown: bool) -> None:
        """Bring the inspector, or take it away."""
        self._make_room()  # its width may be another since it was last here
        self._inspector.call(shown)
        if shown and self._sidebar.over:
            self._sidebar.call(False)
        self._settle()

    def leave_sidebar(self) -> None:
        """Take the sidebar away where it covers the page: it has been used."""
        if self._sidebar.over and self._sidebar.shown:
            self.show_sidebar(False)

    def uncover(self) -> bool:
        """Take away what covers the page; False when nothing does."""
        covering = [side for side in (self._sidebar, self._inspector) if side.over and side.shown]
        for side in covering:
            side.call(False)
        if covering:
            self._settle()
        return bool(covering)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take away what covers the page when the page is clicked; follow the width of the inspector."""
        if watched is self._shade and isinstance(event, QMouseEvent):
            self.uncover()
            return True
        if watched is self._inspector.widget and isinstance(event, QResizeEvent):
            before, now = event.oldSize().width(), event.size().width()
            if before != now and before >= 0:
                self._settle(at_once=True)
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out anew; the sides go and come with the width."""
        super().resizeEvent(event)
        self._settle(at_once=True)

    def _settle(self, *, at_once: bool = False) -> None:
        self._make_room()
        sidebar, inspector = self._sidebar, self._inspector
        for side in (sidebar, inspector):
            side.settle(at_once=at_once)
        self._place()
        self.sidebar_changed.emit(sidebar.shown)
        self.inspector_changed.emit(inspector.shown)

    def _make_room(self) -> None:
        """Have the sides lie over the page where there is no room beside it."""
        sidebar, inspector = self._sidebar, self._inspector
        sidebar.lie_over(self.narrow)
        left = sidebar.widget.width() if sidebar.shown and not sidebar.over else 0
        inspector.lie_over(self.width() - left - inspector.widget.width() < NARROWEST_PAGE)

    def _place(self) -> None:
        sidebar, inspector = self._sidebar, self._inspector
        width, height = self.width(), self.height()
        left = sidebar.beside
        self._page.setGeometry(QRect(left, 0, width - left - inspector.beside, height))
        for side, edge in (
            (sidebar, sidebar.inside - sidebar.widget.width()),
            (inspector, width - inspector.inside),
        ):
            side.widget.setGeometry(QRect(edge, 0, side.widget.width(), height))
            side.widget.setVisible(side.inside > 0 or side.shown)  # empty at first, which is cheap
        covered = max((side.part for side in (sidebar, inspector) if side.over), default=0.0)
        self._shade.setGeometry(self._page.geometry())
        self._shade.setVisible(covered > 0)
        self._shade.deepen(covered)


class Shade(QWidget):
    """Dims the page under what lies over it."""

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
