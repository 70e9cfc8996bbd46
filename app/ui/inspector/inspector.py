"""The panel as a whole: sections under each other, built when it is first opened, one after the other."""

from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.controls import IconButton, label
from app.ui.inspector.desk import Desk
from app.ui.inspector.section import Section

WIDTH = 320


class Inspector(QFrame):
    """All that stands right of the transcript.

    Every turn of the event loop builds or refreshes one section, so that none takes long.

    Attributes:
        desk: What is shown and set.
        sections: What has been built.

    Signals:
        close_requested: Out of the way.
    """

    close_requested = Signal()

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("inspector")
        self.setAccessibleName(_("The settings of the model"))
        self._appearance = appearance
        self.desk = desk
        self.sections: list[Section] = []
        self._shown = self._may_build = self._built = False
        self._steps: Iterator[None] = iter(())
        self._makers = _makers()
        self._about: Path | None = None
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._step)
        self._none = label(_("There is no model on this computer yet."), tone="soft", measure="small")
        self._none.setWordWrap(True)
        self._none.setContentsMargins(0, 16, 0, 0)
        self._none.hide()
        self._content = Content()
        self._content.setObjectName("inspectorContent")
        self._column = QVBoxLayout(self._content)
        self._column.setContentsMargins(16, 4, 14, 16)
        self._column.setSpacing(0)
        self._column.addWidget(self._none)
        self._column.addStretch(1)
        self._head = self._make_head(appearance)
        scroll = QScrollArea()
        scroll.setObjectName("inspectorScroll")
        scroll.setWidget(self._content)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head)
        column.addWidget(scroll)
        desk.changed.connect(self.refresh)
        appearance.changed.connect(self._fit)
        self._fit()

    @property
    def complete(self) -> bool:
        """Return whether every section is built and shows the newest."""
        return self._built and not self._turn.isActive()

    def awake(self) -> None:
        """Build from now on when it is opened, and at once if it is open: the window has been painted."""
        self._may_build = True
        self.set_shown(self._shown)

    def set_shown(self, shown: bool) -> None:
        """Fill it when it comes in; rest when it is away."""
        other, self._shown = shown != self._shown, shown
        if other and not shown:
            self.finish_edits()
        if self._built and other:
            self.desk.set_awake(shown)
        elif shown and self._may_build and not self._built:
            self.refresh()

    def set_over(self, over: bool) -> None:
        """Offer a way out while it covers the button that brought it."""
        self._head.setVisible(over)

    def refresh(self) -> None:
        """Show the newest in every section, one in each turn of the event loop."""
        self._steps = self._work()
        self._turn.start()

    def finish_edits(self) -> None:
        """Set what is being written in a field: it may never lose the keyboard before the end."""
        for section in self.sections:
            section.finish_edits()

    def _fit(self) -> None:
        """Have the width that its text takes."""
        self.setFixedWidth(round(WIDTH * max(1.0, self._appearance.scale)))

    def _make_head(self, appearance: Appearance) -> QWidget:
        close = IconButton(appearance, "close", _("Hide the settings of the model"))
        close.clicked.connect(self.close_requested)
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(16, 8, 12, 0)
        row.addWidget(label(_("The settings of the model"), tone="soft", measure="small"), 1)
        row.addWidget(close)
        head.hide()
        return head

    def _step(self) -> None:
        steps = self._steps
        if next(steps, self) is self and steps is self._steps:  # which the last step may have replaced
            self._turn.stop()

    def _work(self) -> Iterator[None]:
        if not self._built:
            yield from self._build()
            return
        model = self.desk.model
        if model is not None and model.path != self._about:
            self._about = model.path
            for section in self.sections:
                section.forget_edits()
        self._none.setVisible(model is None)
        shown = self.desk.known
        for section in self.sections:
            section.setVisible(shown and section.wanted)
            if shown and section.wanted and section.unfolded:
                section.refresh()
                yield

    def _build(self) -> Iterator[None]:
        for make in self._makers:
            if make is not None:
                section = make(self._appearance, self.desk)
                section.hide()
                section.revealed.connect(self._reveal)
                self.sections.append(section)
                self._column.insertWidget(self._column.count() - 1, section)
            yield
        self._built = True
        self.desk.set_awake(self._shown)  # only now: what is looked up is looked up on another thread

    def _reveal(self, section: Section) -> None:
        """Show the newest in what was just unfolded."""
        section.refresh()


class Content(QWidget):
    """Has the height that its text takes at its width, and not at the least width, which is far more."""

    def minimumSizeHint(self) -> QSize:
        """Return nothing: the scroll area then asks for the height at its width."""
        return QSize(0, 0)


def _makers() -> "Iterator[Callable[[Appearance, Desk], Section] | None]":
    """Give out what makes the sections, in their order; each import takes a turn of the event loop too."""
    from app.ui.inspector import fields, numbers  # noqa: F401

    yield None
    from app.ui.inspector import segments, switch, text_field  # noqa: F401

    yield None
    from app.ui.inspector import adapters, memory_bar, saved_reading  # noqa: F401

    yield None
    from app.ui.inspector.memory import MemoryOfModel

    yield MemoryOfModel
    from app.ui.inspector import creativity, steps  # noqa: F401

    yield None
    from app.ui.inspector.context_size import ContextSize

    yield ContextSize
    from app.ui.inspector.long_reading import LongTexts

    yield LongTexts
    from app.ui.inspector import form, words  # noqa: F401

    yield None
    from app.ui.inspector.sampling import Sampling

    yield Sampling
    from app.ui.inspector.system_prompt import SystemPrompt

    yield SystemPrompt
    from app.ui.inspector.thinking import ThinkingFirst

    yield ThinkingFirst
    from app.ui.inspector.answer_facts import AnswerFacts

    yield AnswerFacts
