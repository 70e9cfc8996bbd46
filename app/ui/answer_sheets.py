"""What lies behind an answer, each in a sheet of its own: what the model read, and how sure it was."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.domain.chat import Message
from app.domain.errors import UserError
from app.domain.generation import Chosen, Rendered
from app.domain.language import _
from app.services.models import Models
from app.ui.appearance import Appearance
from app.ui.current_chat import CurrentChat
from app.ui.probability_sheet import ProbabilitySheet
from app.ui.prompt_sheet import PromptSheet


class AnswerSheets:
    """Opens them over all of the window."""

    def __init__(
        self,
        appearance: Appearance,
        chat: CurrentChat,
        models: Models,
        page: QWidget,
        report: Callable[[UserError], None],
    ) -> None:
        """Wire them; `page` lies in the window, and `report` says why there is nothing to show."""
        self._appearance, self._chat, self._models = appearance, chat, models
        self._page, self._report = page, report

    def show_prompt(self, answer: Message) -> None:
        """Show what the model read before `answer`."""

        def show(prompt: Rendered) -> None:
            read = self._models.status.of(Path(answer.model.path)) if answer.model else self._models.status
            sheet = PromptSheet(self._appearance, prompt, read.template_notes, self._over)
            sheet.open_card(sheet.pages)

        self._chat.read_prompt(answer, show)

    def show_probabilities(self, answer: Message) -> None:
        """Show how likely each token of `answer` was, and what else might have stood there."""

        def show(tokens: list[Chosen]) -> None:
            if not tokens:
                self._report(UserError(_("No token probabilities were kept with this answer.")))
                return
            sheet = ProbabilitySheet(self._appearance, tokens, self._over)
            sheet.open_card(sheet.tokens)

        self._chat.read_probabilities(answer, show)

    @property
    def _over(self) -> QWidget:
        return self._page.parentWidget() or self._page
