"""The bar over the transcript: which model answers, and how far it is loaded."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from app.domain.language import _
from app.domain.model import EngineStatus, Model, Origin
from app.ui.appearance import Appearance
from app.ui.controls import IconButton
from app.ui.quantities import context_text

HEIGHT = 48
_PILL = 34
_LEFT, _RIGHT, _GAP, _DOT, _CHEVRON = 14, 10, 8, 8, 16


class TopBar(QWidget):
    """The model pill, a cross that stops loading, and, while the sidebar is away, what it offered.

    Signals:
        model_requested: Choose another model.
        cancel_requested: Stop loading.
        sidebar_requested: Bring the sidebar back.
        new_requested: A new chat.
        inspector_requested: Bring what can be set for the model, or take it away.
    """

    model_requested = Signal()
    cancel_requested = Signal()
    sidebar_requested = Signal()
    new_requested = Signal()
    inspector_requested = Signal()

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT)
        self.pill = ModelPill(appearance)
        self.pill.clicked.connect(self.model_requested)
        self._cancel = IconButton(appearance, "close", _("Stop loading the model"))
        self._cancel.clicked.connect(self.cancel_requested)
        self._cancel.hide()
        self._sidebar = IconButton(appearance, "sidebar", _("Show the chats"))
        self._sidebar.clicked.connect(self.sidebar_requested)
        self._new = IconButton(appearance, "plus", _("New chat"))
        self._new.clicked.connect(self.new_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(6)
        for widget in (self._sidebar, self._new, self.pill, self._cancel):
            row.addWidget(widget)
        row.addStretch(1)
        self._inspector = IconButton(appearance, "inspector", "")
        self._inspector.clicked.connect(self.inspector_requested)
        row.addWidget(self._inspector)
        self.set_sidebar_shown(True)
        self.set_inspector_shown(False)

    def set_sidebar_shown(self, shown: bool) -> None:
        """Offer the sidebar and a new chat here while the sidebar is away."""
        self._sidebar.setVisible(not shown)
        self._new.setVisible(not shown)

    def set_inspector_shown(self, shown: bool) -> None:
        """Say what a press on the button at the right does now."""
        self._inspector.set_name(
            _("Hide the settings of the model") if shown else _("Show the settings of the model")
        )

    def show_model(self, model: Model | None, status: EngineStatus) -> None:
        """Say which model answers next and what the engine does with it."""
        self.pill.show_model(model, status)
        self._cancel.setVisible(self.pill.loading is not None)


class ModelPill(QAbstractButton):
    """A dot, the model's name, what kind it is, and a thin bar below while it loads.

    Attributes:
        loading: From 0 to 1 while this model is being loaded, else None.
    """

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._dot, self._name, self._detail = "soft", "", ""
        self.loading: float | None = None
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setToolTip(_("Choose a model"))
        appearance.changed.connect(self.updateGeometry)
        self.show_model(None, EngineStatus())

    def show_model(self, model: Model | None, status: EngineStatus) -> None:
        """Say which model answers next and what the engine does with it."""
        own = status.of(model.path) if model else EngineStatus()
        self.loading = own.loading
        self._name = model.name if model else _("Choose a model")
        self._detail = _detail(model, own) if model else ""
        if own.model is None:
            self._dot = "soft"
        elif own.error:
            self._dot = "bad"
        else:
            self._dot = "good" if own.ready else "warn"
        self.setAccessibleName(_("Model: {name}").format(name=f"{self._name} {self._detail}".strip()))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the room for all of it."""
        name, detail = self._metrics()
        width = _LEFT + _DOT + _GAP + name.horizontalAdvance(self._name) + _GAP + _CHEVRON + _RIGHT
        if self._detail:
            width += _GAP + detail.horizontalAdvance(self._detail)
        return QSize(width + 2, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the room for a few letters; the rest is elided."""
        return QSize(140, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the pill and, while loading, the bar."""
        look = self._appearance
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pill = QRectF(0.5, (HEIGHT - _PILL) / 2 + 0.5, self.width() - 1, _PILL - 1)
        focused = self.hasFocus()
        painter.setPen(QPen(look.color("accent" if focused else "line"), 2 if focused else 1))
        painter.setBrush(look.color("hover" if self.underMouse() or self.isDown() else "card"))
        inset = 0.5 if focused else 0
        painter.drawRoundedRect(pill.adjusted(inset, inset, -inset, -inset), _PILL / 2, _PILL / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.color(self._dot))
        painter.drawEllipse(QRectF(_LEFT, (HEIGHT - _DOT) / 2, _DOT, _DOT))
        self._paint_words(painter)
        chevron = QRect(self.width() - _RIGHT - _CHEVRON, (HEIGHT - _CHEVRON) // 2, _CHEVRON, _CHEVRON)
        look.icon("chevron-down", "soft", _CHEVRON).paint(painter, chevron)
        if self.loading is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            track = QRectF(_LEFT, HEIGHT - 4, self.width() - 2 * _LEFT, 3)
            for token, share in (("line", 1.0), ("accent", self.loading)):
                painter.setBrush(look.color(token))
                painter.drawRoundedRect(
                    QRectF(track.left(), track.top(), track.width() * share, track.height()), 1.5, 1.5
                )

    def _paint_words(self, painter: QPainter) -> None:
        name, detail = self._metrics()
        left = _LEFT + _DOT + _GAP
        room = self.width() - left - _GAP - _CHEVRON - _RIGHT
        shown = name.elidedText(self._name, Qt.TextElideMode.ElideRight, room)
        # On one line, also where a fallback font for Chinese makes one of the two taller.
        baseline = (HEIGHT + name.ascent() - name.descent()) // 2
        painter.setFont(self._appearance.font(14, QFont.Weight.DemiBold))
        painter.setPen(self._appearance.color("ink"))
        painter.drawText(left, baseline, shown)
        used = name.horizontalAdvance(shown) + _GAP
        words = detail.elidedText(self._detail, Qt.TextElideMode.ElideRight, max(0, room - used))
        if len(words) > 1:  # not the ellipsis alone
            painter.setFont(self._appearance.font(14))
            painter.setPen(self._appearance.color("soft"))
            painter.drawText(left + used, baseline, words)

    def _metrics(self) -> tuple[QFontMetrics, QFontMetrics]:
        look = self._appearance
        return QFontMetrics(look.font(14, QFont.Weight.DemiBold)), QFontMetrics(look.font(14))


def _detail(model: Model, status: EngineStatus) -> str:
    if status.loading is not None:
        return _("loading, {percent} %").format(percent=round(status.loading * 100))
    if model.origin is Origin.STARTER:
        return _("came with Fireside")
    context = status.context or model.context
    parts = (model.quantization, context_text(context) if context else "")
    return " · ".join(part for part in parts if part)
