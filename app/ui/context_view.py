"""The ring, the panel it opens, and the question when a chat gets full: the context as a person sees it."""

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QWidget

from app.services.budget import Budgets
from app.services.inspection import Inspection
from app.services.models import Models
from app.ui.appearance import Appearance
from app.ui.budget_panel import BudgetPanel
from app.ui.chat_page import ChatPage
from app.ui.context_desk import ContextDesk
from app.ui.post import Poster


class ContextView(QObject):
    """Joins the page of the chat to what counts its tokens.

    Attributes:
        desk: What is counted.
        panel: What is shown of it; None until it was opened once.

    Signals:
        context_requested: Show where the size of the context is set.
    """

    context_requested = Signal()

    def __init__(
        self,
        appearance: Appearance,
        poster: Poster,
        budgets: Budgets,
        models: Models,
        inspection: Inspection,
        page: ChatPage,
        over: QWidget,
    ) -> None:
        """Count for `page`; the panel lies over `over`."""
        super().__init__(over)
        self._appearance, self._page, self._over = appearance, page, over
        self._models = models
        self._chat, composer = page.chat, page.composer
        self.panel: BudgetPanel | None = None
        self.desk = ContextDesk(
            poster,
            page.chat,
            budgets,
            inspection,
            composer.asking,
            lambda: (composer.text, page.edited),
            self,
        )
        composer.ring.clicked.connect(self.open_panel)
        composer.written.connect(self.desk.touch)
        page.budget_requested.connect(self.open_panel)
        page.set_guard(self.desk.guard)
        self.desk.counted.connect(self._show)

    def open_panel(self) -> None:
        """Show what goes into the context."""
        if self.desk.budget is None or (self.panel and self.panel.isVisible()):
            return
        if self.panel is None:
            self.panel = BudgetPanel(self._appearance, self._over)
            self.panel.policy_chosen.connect(self._chat.horizon.set_policy)
            self.panel.context_requested.connect(self.context_requested)
        self._fill(self.panel)
        self.desk.explain_extension(self.panel.choice)
        ring = self._page.composer.ring
        self.panel.open_above(ring.mapTo(self._over, QPoint(ring.width() + 40, 0)))

    def take_engine(self) -> None:
        """Count exactly once the model is there, and estimate when it is gone."""
        model, budget = self._chat.model, self.desk.budget
        ready = model is not None and self._models.status.of(model.path).ready
        if budget is None or budget.exact != ready:
            self.desk.touch()

    def _show(self) -> None:
        budget = self.desk.budget
        if budget is not None:
            self._page.composer.set_context(budget.used, budget.context)
        else:
            self._page.composer.set_context(*self._chat.state.used_context())
        if self.panel is not None and self.panel.isVisible():
            self._fill(self.panel)

    def _fill(self, panel: BudgetPanel) -> None:
        chat, budget = self._chat.state.chat, self.desk.budget
        if budget is not None:
            panel.show_budget(budget, chat.policy if chat else None, begun=chat is not None)
