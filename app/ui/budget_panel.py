"""What goes into the context, opened from the ring: a bar, its parts in tokens, and the chat's policy."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QLocale, QObject, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QGridLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.domain.budget import Budget, Policy
from app.domain.language import _, plural
from app.ui.appearance import Appearance
from app.ui.controls import label
from app.ui.inspector.fields import small
from app.ui.inspector.inspector import Content
from app.ui.inspector.memory_bar import Dot
from app.ui.policy_choice import PolicyChoice
from app.ui.popover import Popover

_WIDTH = 372
_GAP = 8
_TOKENS = {
    "system": "syntax_function",
    "documents": "syntax_number",
    "summary": "syntax_keyword",
    "pinned": "accent",
    "turns": "soft",
    "draft": "good",
    "room": "line",
}


def part_names() -> dict[str, str]:
    """Return what each part is called, in their order."""
    return {
        "system": _("System prompt"),
        "documents": _("Documents"),
        "summary": _("Summary of older turns"),
        "pinned": _("Pinned messages"),
        "turns": _("Conversation"),
        "draft": _("What you are writing"),
        "room": _("Room to answer"),
    }


class PartsBar(QWidget):
    """The parts beside each other, in colours of their own, and what is free."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._parts: Sequence[tuple[str, int]] = ()
        self._whole = 1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        appearance.changed.connect(self.update)

    def show_parts(self, parts: Sequence[tuple[str, int]], whole: int) -> None:
        """Show `parts`, each a token of the palette and a length, of a `whole`."""
        self._parts, self._whole = parts, max(whole, sum(length for _token, length in parts), 1)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the bar."""
        return QSize(100, 12)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the parts from the left, inside of rounded ends, a hairline of the card between them."""
        look, painter = self._appearance, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole, clip = QRectF(self.rect()), QPainterPath()
        clip.addRoundedRect(whole, 6, 6)
        painter.setClipPath(clip)
        painter.fillRect(whole, look.color("code"))
        left = 0.0
        for token, length in self._parts:
            width = length / self._whole * whole.width()
            painter.fillRect(QRectF(left, 0, width, whole.height()), look.color(token))
            left += width
            painter.setPen(QPen(look.color("card"), 1))
            painter.drawLine(round(left), 0, round(left), self.height())


class BudgetPanel(Popover):
    """A card above the ring.

    Attributes:
        choice: What happens when it gets full.

    Signals:
        policy_chosen: What is to happen in this chat.
        context_requested: Show where the size of the context is set.
    """

    policy_chosen = Signal(Policy)
    context_requested = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._foot = QPoint()
        self.setAccessibleName(_("What goes into the context"))
        self.bar = PartsBar(appearance)
        self._total = label("", measure="small", tone="soft")
        self._sizes = {name: label("", measure="small") for name in _TOKENS}
        self._rows: dict[str, tuple[QWidget, ...]] = {}
        self._unseen = small("")
        self._estimate = small(
            _("Estimated by the length of the text; counted exactly once the model is loaded.")
        )
        self.choice = PolicyChoice(appearance)
        self.choice.chosen.connect(self.policy_chosen)
        self._policy = self._build_policy()
        scroll = QScrollArea()
        scroll.setObjectName("downloads")
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._content = self._build()
        scroll.setWidget(self._content)
        column = QVBoxLayout(self.card)
        column.setContentsMargins(1, 8, 1, 8)
        column.addWidget(scroll)
        self._content.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take another height when what is shown does."""
        if watched is self._content and event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self.place()
        return super().eventFilter(watched, event)

    def show_budget(self, budget: Budget, policy: Policy | None, *, begun: bool) -> None:
        """Show the parts; the policy belongs to a chat that has `begun`."""
        names = [name for name in _TOKENS if name != "documents" or budget.documents]
        parts = [(_TOKENS[name], getattr(budget, name)) for name in names]
        self.bar.show_parts(parts, budget.context)
        said = []
        for name, row in self._rows.items():
            tokens = getattr(budget, name)
            for widget in row:
                widget.setVisible(name in names)
            self._sizes[name].setText(QLocale().toString(tokens))
            said.append(f"{part_names()[name]}: {QLocale().toString(tokens)}")
        whole = _("{used} of {total} tokens").format(
            used=QLocale().toString(budget.used), total=QLocale().toString(budget.context)
        )
        self._total.setText(whole)
        self.bar.setAccessibleName(f"{whole}. {', '.join(said)}")
        gone = len(budget.unseen)
        words = plural(
            "The model no longer sees {count} message of this chat.",
            "The model no longer sees {count} messages of this chat.",
            gone,
        ).format(count=QLocale().toString(gone))
        if gone and budget.summary_id is not None:
            words = plural(
                "Of {count} message the model sees only a summary.",
                "Of {count} messages the model sees only a summary.",
                gone,
            ).format(count=QLocale().toString(gone))
        self._unseen.setText(words)
        self._unseen.setVisible(gone > 0)
        self._estimate.setVisible(not budget.exact)
        self._policy.setVisible(begun)
        self.choice.show_value(policy or Policy.SUMMARISE)

    def open_above(self, foot: QPoint) -> None:
        """Show the card with its bottom right at `foot`, in the coordinates of the window's page."""
        self._foot = foot
        self.open_at(QPoint(), QSize(_WIDTH, 100))
        self.place()
        first = self.choice.options[self.choice.value] if self._policy.isVisible() else self._link
        first.setFocus(Qt.FocusReason.PopupFocusReason)

    def place(self) -> None:
        """Stand above the ring, as high as what is shown."""
        parent = self.parentWidget()
        if parent is not None:
            width = min(round(_WIDTH * max(1.0, self._appearance.scale)), parent.width() - 32)
            self._content.setFixedWidth(width - 2)
            whole = self._content.heightForWidth(width - 2) + 18
            height = min(whole, self._foot.y() - _GAP - 16)
            self._size = QSize(width, height)
            self._corner = QPoint(self._foot.x() - width, self._foot.y() - _GAP - height)
        super().place()

    def _build(self) -> QWidget:
        content = Content()
        content.setObjectName("downloadsContent")
        column = QVBoxLayout(content)
        column.setContentsMargins(16, 6, 16, 6)
        column.setSpacing(8)
        head = label(_("What goes into the context"))
        column.addWidget(head)
        column.addWidget(self.bar)
        column.addWidget(self._total)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for place, (name, words) in enumerate(part_names().items()):
            row = (
                Dot(self._appearance, _TOKENS[name]),
                label(words, tone="soft", measure="small"),
                self._sizes[name],
            )
            for number, widget in enumerate(row):
                grid.addWidget(widget, place, number)
            self._sizes[name].setAlignment(Qt.AlignmentFlag.AlignRight)
            self._rows[name] = row
        column.addLayout(grid)
        column.addWidget(self._unseen)
        column.addWidget(self._estimate)
        column.addWidget(self._policy)
        self._link = QPushButton(_("Set how much the model sees at once…"))
        self._link.setProperty("kind", "link")
        self._link.setProperty("measure", "small")
        self._link.setProperty("flush", "true")
        self._link.setCursor(Qt.CursorShape.PointingHandCursor)
        self._link.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._link.clicked.connect(self._show_context)
        column.addWidget(self._link)
        return content

    def _build_policy(self) -> QWidget:
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(2)
        column.addWidget(label(_("When it gets full"), measure="group"))
        column.addWidget(self.choice)
        return made

    def _show_context(self) -> None:
        self.close_card()
        self.context_requested.emit()
