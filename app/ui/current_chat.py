"""The chat that the window shows, and every command that concerns it: no widget, only what is so."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.domain.chat import Chat, Message, Role, Started, Tree
from app.domain.choices import Choices
from app.domain.errors import UserError
from app.domain.generation import Chosen, Rendered
from app.domain.language import _
from app.domain.model import Model
from app.domain.settings import Settings
from app.services.budget import Budgets
from app.services.choices import ModelChoices
from app.services.conversation import Conversation
from app.services.history import History
from app.services.live import Live, Phase
from app.services.models import Models
from app.ui.horizon import Horizon
from app.ui.open_chat import OpenChat
from app.ui.post import Poster

T = TypeVar("T")


class CurrentChat(QObject):
    """Commands go to the services at once; what comes of them is told by signals.

    Attributes:
        state: The chat as it was last read, with all its messages.
        horizon: How far back the model sees in it.

    Signals:
        leaving: Another chat is about to take the place of this one.
        opened: Another chat, or a new one, has taken the place of the last.
        begun: A new chat has got its first words, and its id.
        grown: Something was said: the last rows are new.
        changed: The same chat, with other messages or another version shown.
        titled: The same chat, under another name.
        sent: The text that is now safe on disk.
        sent_elsewhere: The id of the chat, None for a new one, whose words are safe after it was left.
        model_changed: Another model will answer next.
        overflowed: What was refused, as the chat is too long and a person wants to be asked; call it again.
    """

    leaving = Signal()
    opened = Signal()
    begun = Signal()
    grown = Signal()
    changed = Signal()
    titled = Signal()
    sent = Signal(str)
    sent_elsewhere = Signal(object)
    model_changed = Signal()
    overflowed = Signal(object)

    def __init__(
        self,
        poster: Poster,
        history: History,
        conversation: Conversation,
        models: Models,
        choices: ModelChoices,
        budgets: Budgets,
    ) -> None:
        super().__init__()
        self._poster, self._history = poster, history
        self._conversation, self._models, self._choices = conversation, models, choices
        self._new_context: int | None = None
        self._new_system_prompt = ""  # of a chat in which nothing has been said yet
        self._chosen: dict[int | None, Path] = {}
        self._sending: Future[Started] | Future[list[Started]] | None = None
        self._visit = 0  # counts the chats that were shown: what comes late finds another number
        self._guard: Callable[[Callable[[], None]], None] = lambda go: go()
        self.state = OpenChat()
        self.horizon = Horizon(poster, history, conversation, budgets, self)

    @property
    def id(self) -> int | None:
        """Return the id; None while nothing has been said."""
        return self.state.id

    @property
    def incognito(self) -> bool:
        """Return whether nothing of it is kept."""
        return self.state.chat is not None and self.state.chat.incognito

    def set_guard(self, guard: Callable[[Callable[[], None]], None]) -> None:
        """Have `guard` called with whatever leads to another chat: it may ask before it does so."""
        self._guard = guard

    @property
    def lives(self) -> Mapping[int, Live]:
        """Return the answers that are on their way in any chat, by the id of their message."""
        return self._conversation.live

    @property
    def live(self) -> Live | None:
        """Return the answer that is on its way and shown."""
        return self.lives.get(self.state.tip) if self.state.tip is not None else None

    @property
    def answering(self) -> bool:
        """Return whether an answer is on its way that can be stopped."""
        return any(live.phase is Phase.RUNNING for live in self._conversation.lives(self.id))

    @property
    def waiting(self) -> bool:
        """Return whether another model writes an answer in another chat before this one has its turn."""
        if self.live is None or not self.answering:
            return False
        running = next(live for live in self.lives.values() if live.phase is Phase.RUNNING)
        return running.model.path != self.live.model.path

    @property
    def sending(self) -> bool:
        """Return whether a turn is on its way to the disk: what is pressed twice begins one."""
        return self._sending is not None and not self._sending.done()

    @property
    def model(self) -> Model | None:
        """Return what answers next: the model chosen for this chat, else the one the services prefer."""
        chosen = self._chosen.get(self.state.id)
        found = next((model for model in self._models.known if model.path == chosen), None)
        chat = self.state.chat
        return found or self._models.preferred(chat.model_path if chat else "")

    def choose(self, model: Model) -> None:
        """Have `model` answer from the next turn on, and load it."""
        self._chosen[self.state.id] = model.path
        if self.state.chat is not None:
            chat = replace(self.state.chat, model_path=str(model.path))
            self.state = replace(self.state, chat=chat)
            self._poster.when_done(self._history.set_model(chat.id, model.path), lambda done: None)
        self.load(model)
        self.model_changed.emit()

    def load(self, model: Model) -> None:
        """Load `model` as it is set to be."""
        self._models.load(model, self.context_of(model), self._choices.of(model).options)

    def context_of(self, model: Model) -> int | None:
        """Return the tokens that `model` sees at once in this chat; None for its usual size."""
        own = self.state.chat.context if self.state.chat else self._new_context
        return own or self._choices.of(model).settings.context

    def set_context(self, context: int | None) -> None:
        """Have the model see so many tokens at once in this chat; None leaves it to the model."""
        if self.state.chat is None:
            self._new_context = context
        else:
            self._poster.when_done(self._history.set_context(self.state.chat.id, context), lambda done: None)
            self.state = replace(self.state, chat=replace(self.state.chat, context=context))

    @property
    def choices_known(self) -> bool:
        """Return whether what is set for each model has been read."""
        return self._choices.known

    @property
    def system_prompt(self) -> str:
        """Return what the model of this chat is told beforehand."""
        return self.state.chat.system_prompt if self.state.chat else self._new_system_prompt

    def set_system_prompt(self, text: str) -> None:
        """Tell the model of this chat how to behave, from the next turn on."""
        if self.state.chat is None:
            self._new_system_prompt = text
        elif text != self.state.chat.system_prompt:
            self._poster.when_done(
                self._history.set_system_prompt(self.state.chat.id, text), lambda done: None
            )

    def begin_new(self) -> None:
        """Show a chat in which nothing has been said yet."""
        self._guard(self._begin_new)

    def _begin_new(self) -> None:
        self._visit += 1
        self.leaving.emit()
        self.state = OpenChat()
        self.horizon.forget()
        self._chosen.pop(None, None)
        self._new_system_prompt, self._new_context = "", None
        self.opened.emit()

    def open(self, chat_id: int, on_error: Callable[[UserError], None] | None = None) -> None:
        """Show a chat, once it has been read; one that is gone is reported, or told to `on_error`."""
        self._guard(partial(self._open, chat_id, on_error))

    def _open(self, chat_id: int, on_error: Callable[[UserError], None] | None) -> None:
        self._visit += 1
        self._poster.when_done(self._history.open(chat_id), partial(self._show, self._visit), on_error)

    def send(self, text: str, edited: Message | None) -> None:
        """Say `text`: after what is shown, or as another version of the message `edited`.

        Raises:
            UserError: When it cannot be said now.
        """
        if self.sending:
            return
        self._refuse_unsaved()
        parent = edited.parent_id if edited else self.state.tip
        chat_id, model = self.state.id, self.model_or_refuse()
        chosen = self.choices_of(model)
        self._sending = starting = self._conversation.send(
            chat_id,
            parent,
            text,
            model,
            chosen.settings,
            chosen.options,
            chosen.adapters,
            system_prompt=self._new_system_prompt,
            edits=edited is not None,
        )
        self._when_started(
            starting, partial(self._sent, self._visit, chat_id, text), lambda: self.send(text, edited)
        )

    def regenerate(self, answer: Message) -> None:
        """Have an answer written once more, as another version.

        Raises:
            UserError: When it cannot be done now.
        """
        if self.sending:
            return
        self._refuse_unsaved()
        model = self.model_or_refuse()
        chosen = self._choices.of(model)
        self._sending = starting = self._conversation.regenerate(
            answer, model, chosen.settings, chosen.options, chosen.adapters
        )
        again = partial(self.regenerate, answer)
        self._when_started(starting, partial(self._started, self._visit), again)

    def write_versions(self, answer: Message) -> None:
        """Have several more versions of an answer written at once.

        Raises:
            UserError: When it cannot be done now.
        """
        if self.sending:
            return
        self._refuse_unsaved()
        model = self.model_or_refuse()
        chosen = self._choices.of(model)
        self._sending = starting = self._conversation.versions(
            answer, model, chosen.settings, chosen.options, chosen.adapters
        )
        again = partial(self.write_versions, answer)
        self._when_started(starting, partial(self._started_all, self._visit), again)

    def resume(self, answer: Message) -> None:
        """Go on with an answer that broke off.

        Raises:
            UserError: When it cannot be done now.
        """
        if self.sending:
            return
        self._refuse_unsaved()
        settings, model = answer.settings or Settings(), self.model_or_refuse()
        chosen = self._choices.of(model)
        self._sending = starting = self._conversation.resume(
            answer, model, settings, chosen.options, chosen.adapters
        )
        self._when_started(starting, partial(self._started, self._visit), partial(self.resume, answer))

    def read_prompt(self, answer: Message, show: Callable[[Rendered], None]) -> None:
        """Hand what the model read before `answer` to `show`."""
        self._poster.when_done(self._conversation.prompt(answer), show)

    def read_probabilities(self, answer: Message, show: Callable[[list[Chosen]], None]) -> None:
        """Hand the tokens of `answer` to `show`."""
        self._poster.when_done(self._history.probabilities(answer.id), show)

    def show_version(self, message_id: int) -> None:
        """Show the branch that `message_id` begins."""
        if self.state.id is not None and message_id in self.state.tree.messages:
            tip = self.state.tree.newest_leaf(message_id)
            self._poster.when_done(self._history.show_version(self.state.id, tip), lambda done: None)

    def choices_of(self, model: Model) -> Choices:
        """Return what is set for `model`, with the context that was chosen for a chat not yet begun."""
        chosen = self._choices.of(model)
        if self.state.chat is None and self._new_context:  # afterwards the chat itself knows it
            return replace(chosen, settings=replace(chosen.settings, context=self.context_of(model)))
        return chosen

    def _when_started(
        self, starting: "Future[T]", begun: Callable[[T], None], again: Callable[[], None]
    ) -> None:
        """Take note of a turn once it is safe; one that has no room is offered `again` after a choice."""

        def refused(error: UserError) -> None:
            if error.action == "context-full":
                self.overflowed.emit(again)
            else:
                self._poster.report(error)

        self._poster.when_done(starting, begun, refused)

    def stop(self) -> None:
        """Stop the answer; what it has written stays."""
        if self.state.id is not None:
            self._conversation.stop(self.state.id)

    def message(self, message_id: int) -> Message | None:
        """Return one message of this chat."""
        return self.state.tree.messages.get(message_id)

    def last(self, role: Role) -> Message | None:
        """Return the last message of one role that is shown."""
        return self.state.last(role)

    def take_chat(self, chat: Chat) -> None:
        """Take note of the newer row of this chat."""
        if chat.id != self.state.id or chat == self.state.chat:
            return
        if chat.tip_id is not None and chat.tip_id not in self.state.tree.messages:
            self._poster.when_done(self._history.open(chat.id), partial(self._refresh, self._visit))
        else:
            self._take(chat, [])

    def take_tree(self, chat_ids: tuple[int, ...]) -> None:
        """Read all messages anew if this chat is among those of which some were deleted or brought back."""
        if self.state.id is not None and self.state.id in chat_ids:
            reading = self._history.open(self.state.id)
            self._poster.when_done(reading, partial(self._refresh, self._visit), lambda gone: None)

    def take_messages(self, ids: tuple[int, ...]) -> None:
        """Read those of the changed messages that belong to this chat."""
        if self.state.id is not None:
            reading = self._history.changed(self.state.id, ids)
            self._poster.when_done(reading, partial(self._merge, self._visit), lambda gone: None)

    def model_or_refuse(self) -> Model:
        """Return what answers next; raises a UserError when there is nothing that could."""
        model = self.model
        if model is None:
            raise UserError(
                _("There is no model on this computer that can answer."),
                _("Add a GGUF file first; your message stays here."),
                "choose-model",
            )
        return model

    @property
    def unsaved(self) -> bool:
        """Return whether an answer of this chat has not been taken by the disk."""
        return any(live.phase is Phase.UNSAVED for live in self._conversation.lives(self.id))

    def _refuse_unsaved(self) -> None:
        if self.unsaved:
            raise UserError(
                _("The last answer in this chat is not saved yet."),
                _("Save that answer first; your message stays here."),
                "retry-save",
            )

    def _show(self, visit: int, read: tuple[Chat, Tree]) -> None:
        if visit == self._visit:
            self._visit += 1  # what was said in the chat that is left, while this one was read, is not for it
            self.leaving.emit()
            self.state = OpenChat(*read)
            self.horizon.forget()
            self.opened.emit()
            self.horizon.take_summaries()

    def _refresh(self, visit: int, read: tuple[Chat, Tree]) -> None:
        if visit == self._visit and read[0].id == self.state.id:
            self.state = OpenChat(*read)
            self.changed.emit()

    def _merge(self, visit: int, read: tuple[Chat, list[Message]]) -> None:
        chat, messages = read
        known = self.state.tree.messages
        news = [message for message in messages if known.get(message.id) != message]
        if visit == self._visit and chat.id == self.state.id:
            self._take(chat, news)

    def _take(self, chat: Chat, news: list[Message]) -> None:
        other_path = bool(news) or chat.tip_id != self.state.tip
        self.state = self.state.with_changes(chat, news) if news else replace(self.state, chat=chat)
        if other_path:
            self.changed.emit()
        self.titled.emit()

    def _sent(self, visit: int, chat_id: int | None, text: str, started: Started) -> None:
        if visit != self._visit:
            self.sent_elsewhere.emit(chat_id)
            return
        if chat_id is None and None in self._chosen:
            self._chosen[started.chat.id] = self._chosen.pop(None)
        if chat_id is None and self._new_context:
            setting = self._history.set_context(started.chat.id, self._new_context)
            self._poster.when_done(setting, lambda done: None)
            self._new_context = None
        self._started(visit, started)
        self.sent.emit(text)

    def _started(self, visit: int, started: Started) -> None:
        self._started_all(visit, [started])

    def _started_all(self, visit: int, started: list[Started]) -> None:
        if visit == self._visit:
            new = self.state.chat is None
            replies = [each.reply for each in started]
            self.state = self.state.with_changes(started[0].chat, [*started[0].path, *replies])
            if new:
                self.begun.emit()
            self.grown.emit()
