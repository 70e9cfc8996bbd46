"""How far back the model sees in the chat that is shown, and what a person decides about it."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from app.domain.budget import Budget, Policy, Summary, horizon
from app.domain.chat import Message
from app.domain.errors import UserError
from app.services.budget import Budgets
from app.services.conversation import Conversation
from app.services.history import History
from app.services.windows import Writer
from app.ui.post import Poster

if TYPE_CHECKING:
    from app.ui.current_chat import CurrentChat


class Horizon:
    """Commands go to the services at once; when it has moved, the chat tells that it has changed."""

    def __init__(
        self,
        poster: Poster,
        history: History,
        conversation: Conversation,
        budgets: Budgets,
        chat: "CurrentChat",
    ) -> None:
        self._poster, self._history, self._budgets, self._chat = poster, history, budgets, chat
        self._conversation = conversation
        self._rewritten: set[int] = set()  # the ids of the summaries that are being written anew
        self._summaries: list[Summary] = []
        self._visit = 0  # as in CurrentChat

    def forget(self) -> None:
        """Know nothing any more: another chat is shown."""
        self._visit += 1
        self._summaries = []

    def count(self, draft: str, edited: Message | None = None) -> "Future[Budget] | None":
        """Return what saying `draft` now, in place of `edited` if given, would send; None without a model."""
        chat, model = self._chat, self._chat.model
        if model is None:
            return None
        chosen = chat.choices_of(model)
        return self._budgets.of(
            chat.id,
            edited.parent_id if edited else chat.state.tip,
            draft,
            model,
            chosen.settings,
            chosen.options,
            chosen.adapters,
            system_prompt=chat.system_prompt if chat.id is None else "",
        )

    def set_policy(self, policy: Policy, done: Callable[[], None] = lambda: None) -> None:
        """Choose what happens when this chat outgrows its context; `done` is called once that is kept."""
        if self._chat.id is not None:
            self._poster.when_done(self._history.set_policy(self._chat.id, policy), lambda kept: done())

    def pin(self, message: Message) -> None:
        """Keep a message in view of the model, or no longer."""
        self._poster.when_done(self._history.pin_message(message.id, not message.pinned), lambda done: None)

    @property
    def line(self) -> tuple[int, Summary | None] | None:
        """Return below which message the model still sees all, and the summary it has of the rest, if any."""
        state = self._chat.state
        path = state.tree.path(state.tip)
        below = horizon([(message.id, message.seen_from) for message in path])
        if below is None:
            return None
        last = next((m for m in reversed(path) if m.seen_from is not None), None)
        found = (each for each in self._summaries if last and each.id == last.summary_id)
        return below, next(found, None)

    def write_summary(self, text: str) -> None:
        """Have the words of a person stand for what the model no longer sees."""
        line = self.line
        if line is not None and line[1] is not None:
            self._poster.when_done(self._history.edit_summary(line[1], text), lambda done: None)

    def rewrite_summary(self) -> bool:
        """Have the model write its summary once more; False when there is none, or it is at that already.

        Raises:
            UserError: When there is no model.
        """
        line, tip = self.line, self._chat.state.tip
        if line is None or line[1] is None or tip is None or line[1].id in self._rewritten:
            return False
        summary, model = line[1], self._chat.model_or_refuse()
        chosen = self._chat.choices_of(model)
        writer = Writer(model, chosen.options, chosen.adapters)

        def ended(problem: UserError | None) -> None:
            self._rewritten.discard(summary.id)
            if problem is not None:
                self._poster.report(problem)

        self._rewritten.add(summary.id)
        anew = self._conversation.rewriting.anew(summary, tip, chosen.settings, writer)
        self._poster.when_done(anew, lambda done: ended(None), ended)
        return True

    def take_summaries(self, chat_ids: tuple[int, ...] = ()) -> None:
        """Read what stands for the older messages of this chat, if it is among those that have changed."""
        chat_id = self._chat.id
        if chat_id is not None and (not chat_ids or chat_id in chat_ids):
            reading = self._history.summaries(chat_id)
            self._poster.when_done(reading, partial(self._know, self._visit), lambda gone: None)

    def _know(self, visit: int, summaries: list[Summary]) -> None:
        if visit == self._visit and summaries != self._summaries:
            self._summaries = summaries
            self._chat.changed.emit()
