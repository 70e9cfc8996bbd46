"""What goes into the context: counted while a person types, and what to do is asked when it gets full."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.budget import Budget, Policy
from app.domain.chat import Message
from app.domain.errors import UserError
from app.domain.language import _
from app.services.budget import Budgets
from app.services.inspection import Inspection
from app.ui.current_chat import CurrentChat
from app.ui.overflow_card import OverflowCard
from app.ui.policy_choice import PolicyChoice, policy_words
from app.ui.post import Poster
from app.ui.quantities import context_text, size_text

if TYPE_CHECKING:
    from app.services.outlook import Outlook

PAUSE_MS = 300
_FRAME = 64
"""Tokens that a chat template puts around a message, at most."""
_PATIENCE_MS = 600
"""How long sending waits for a count; the chat is summarised when it turns out too long after all."""


class ContextDesk(QObject):
    """Asks for the budget a moment after the last key, and has a person choose once for each chat.

    Attributes:
        budget: As it was counted last; None when nothing is known of this chat.

    Signals:
        counted: There is another budget.
    """

    counted = Signal()

    def __init__(
        self,
        poster: Poster,
        chat: CurrentChat,
        budgets: Budgets,
        inspection: Inspection,
        card: OverflowCard,
        draft: Callable[[], tuple[str, Message | None]],
        parent: QObject,
    ) -> None:
        """Look at `chat` and at what `draft` returns, with the message that it edits; `card` asks."""
        super().__init__(parent)
        self._poster, self._chat, self._budgets, self._inspection = poster, chat, budgets, inspection
        self._card, self._draft = card, draft
        self.budget: Budget | None = None
        self._run: Callable[[], None] | None = None  # what waits for a choice
        self._deciding = self._restored = self._closed = False
        self._request = 0
        self._pause = QTimer(self, interval=PAUSE_MS, singleShot=True)
        self._pause.timeout.connect(self.count)
        card.chosen.connect(self._choose)
        card.left.connect(self._forget)
        chat.leaving.connect(self._leave)
        chat.opened.connect(self._open)
        chat.grown.connect(self._grown)
        for changed in (chat.changed, chat.model_changed, chat.titled):
            changed.connect(self.touch)
        chat.overflowed.connect(lambda run: self._ask(run, once=True))

    def touch(self) -> None:
        """Count in a moment: something has changed."""
        if not self._closed:
            self._pause.start()

    def close(self) -> None:
        """Ask nothing any more: the window is closed, and the services will be."""
        self._closed = True
        self._request += 1
        self._pause.stop()
        self._forget()
        self._deciding = False

    def count(self, then: Callable[[Budget], None] | None = None) -> None:
        """Count now, and call `then`, too, with what was counted."""
        self._pause.stop()
        counting = None if self._closed else self._chat.horizon.count(*self._draft())
        if counting is None:
            self._take(None)
            return
        self._request += 1
        number = self._request

        def take(budget: Budget) -> None:
            if number == self._request:
                self._take(budget)
                if then is not None:
                    then(budget)

        self._poster.when_done(counting, take, lambda unknown: None)

    def guard(self, run: Callable[[], None]) -> None:
        """Do what sends something to the model, after a person has chosen, if this is the moment to ask."""
        state = self._chat.state
        settled = state.chat is None or state.chat.policy is not None
        if settled or self._chat.unsaved or self._has_room():
            run()
            return
        if self._deciding or self._card.isVisible():
            return
        self._deciding = True

        def decide(budget: Budget | None) -> None:
            if not self._deciding:
                return
            self._deciding = False
            if budget is not None and budget.asks:
                self._ask(run, once=False)
            else:
                run()

        QTimer.singleShot(_PATIENCE_MS, self, lambda: decide(self.budget))
        self.count(decide)

    def explain_extension(self, choice: PolicyChoice) -> None:
        """Say in `choice` what extending the context would give and take."""
        option, usual = choice.options[Policy.EXTEND], policy_words(Policy.EXTEND)[1]
        option.explain(usual)
        model, budget = self._chat.model, self.budget
        if model is None or budget is None:
            return
        options = self._chat.choices_of(model).options

        def show(context: int | None) -> None:
            if self._closed:
                return
            if context is None:
                option.explain(
                    _("This computer or the model allows no larger context; the oldest turns are dropped.")
                )
                return
            looking = self._inspection.outlook(model, context, options)
            self._poster.when_done(looking, lambda found: tell(context, found), lambda unknown: None)

        def tell(context: int, outlook: "Outlook") -> None:
            chosen = outlook.chosen
            alike = chosen.conversation * budget.context // context  # where its size is none of the steps
            before = next((t.conversation for t in outlook.sizes if t.context == budget.context), alike)
            words = _("To {size} tokens, for {bytes} more memory; quality: {quality}.").format(
                size=context_text(context),
                bytes=size_text(max(chosen.conversation - before, 0)),
                quality=chosen.quality,
            )
            option.explain(chosen.problem or words)

        self._poster.when_done(
            self._budgets.larger_context(model, options, budget), show, lambda unknown: None
        )

    def _has_room(self) -> bool:
        """Return whether what stands in the composer fits with some to spare, however it is counted."""
        budget = self.budget
        if budget is None or budget.unseen or not budget.exact:
            return False
        draft = len(self._draft()[0].encode("utf-8", "replace"))  # no token is shorter than a byte
        return not replace(budget, draft=draft + _FRAME).is_tight

    def _take(self, budget: Budget | None) -> None:
        self.budget = budget
        self.counted.emit()

    def _ask(self, run: Callable[[], None], *, once: bool) -> None:
        self._run = run
        self._card.ask(once=once)
        self.explain_extension(self._card.choice)

    def _choose(self, policy: Policy) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        self._restored = self._card.once  # until the answer has begun; then it is asked again
        self._chat.horizon.set_policy(policy, lambda: self._try(run))

    def _try(self, run: Callable[[], None]) -> None:
        try:
            run()
        except UserError as error:
            self._poster.report(error)

    def _forget(self) -> None:
        self._run = None
        self._restored = False

    def _grown(self) -> None:
        if self._restored:
            self._restored = False
            self._chat.horizon.set_policy(Policy.ASK)
        self.touch()

    def _leave(self) -> None:
        self._card.close_card()
        self._forget()
        self._deciding = False

    def _open(self) -> None:
        self._request += 1  # what is on its way is about the chat that was left
        self._take(None)
        self.count()
