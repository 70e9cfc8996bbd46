"""The page of the current chat: its messages, the composer, the model, and what has to be said."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.domain.chat import Message, Role
from app.domain.errors import UserError
from app.domain.generation import Failed, Finished
from app.domain.language import _
from app.domain.model import Model, Origin
from app.domain.reading_words import activity_text
from app.domain.search_text import Phrase
from app.services.live import Update
from app.services.models import Models
from app.ui.answer_sheets import AnswerSheets
from app.ui.appearance import Appearance
from app.ui.composer import Composer
from app.ui.current_chat import CurrentChat
from app.ui.drafts import Drafts
from app.ui.empty_state import EmptyState
from app.ui.find_bar import FindBar
from app.ui.first_run import FirstRun
from app.ui.fonts import code_families
from app.ui.held_questions import ANSWER, QUESTION, Arrivals, HeldQuestions
from app.ui.incognito_bar import IncognitoBar
from app.ui.links import ask_to_open
from app.ui.notices import Notices, Offer
from app.ui.open_chat import with_progress
from app.ui.other_model import answer_with, instead
from app.ui.theme import veiled
from app.ui.top_bar import TopBar
from app.ui.transcript.boundary import boundary_row
from app.ui.transcript.message import Row
from app.ui.transcript.view import TranscriptView


class ChatPage(QWidget):
    """Everything right of the sidebar.

    Attributes:
        chat: What is so about the chat that is shown.
        bar: The bar with the model.
        find_bar: Finds words in the chat.
        composer: Where the person writes.
        notices: Where errors and offers of the window are shown.

    Signals:
        file_requested: Pick a GGUF file.
        budget_requested: Show what goes into the context.
        returned: The person is done with a message that was gone to from elsewhere.
    """

    file_requested = Signal()
    budget_requested = Signal()
    returned = Signal()

    def __init__(self, appearance: Appearance, chat: CurrentChat, models: Models, drafts: Drafts) -> None:
        super().__init__()
        self.setObjectName("page")
        self._appearance, self.chat, self._models, self._drafts = appearance, chat, models, drafts
        self._edited: Message | None = None
        self._first = self._searched = False
        self._warmed = self._was_ready = self._rested = False
        self._load_error = ""
        self._first_run: FirstRun | None = None
        self._arrivals: Arrivals | None = None
        self._guard: Callable[[Callable[[], None]], None] = lambda run: run()
        self.bar = TopBar(appearance)
        self.veil = IncognitoBar(appearance)
        self._empty = EmptyState(appearance)
        self._transcript = TranscriptView(appearance.palette, mono=code_families()[0])
        self.find_bar = FindBar(appearance, self._transcript.finding)
        self.composer = Composer(appearance)
        self._held = HeldQuestions(chat, self.composer, drafts, self._show_rows)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._transcript)
        self._stack.setMinimumHeight(1)  # what is asked above the composer goes before it
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.veil)
        column.addWidget(self.find_bar)
        column.addWidget(self._stack, 1)
        column.addWidget(self.composer)
        self.notices = Notices(appearance, self)
        self.composer.installEventFilter(self)
        self._connect()
        self._dress()
        self.show_models()

    def expect_messages(self) -> None:
        """Get ready in the background for the first chat that is opened."""
        self._transcript.warm_up()

    def greet(self, *, first: bool) -> None:
        """Know whether there has ever been a chat."""
        self._first = first
        self._greet()

    def set_first_run(self, first_run: FirstRun) -> None:
        """Recommend a model to who has none of their own yet."""
        self._first_run = first_run
        self._empty.set_first_run(first_run)
        first_run.changed.connect(self._greet)

    def set_arrivals(self, arrivals: Arrivals) -> None:
        """Tell from now on of the model that a question waits for."""
        self._arrivals = arrivals

    @property
    def edited(self) -> Message | None:
        """Return the earlier message that stands in the composer; None when none does."""
        return self._edited

    def set_guard(self, guard: Callable[[Callable[[], None]], None]) -> None:
        """Have `guard` called with all that sends something to the model: it may ask before it does so."""
        self._guard = guard

    def add_commands(self, commands: Mapping[str, Callable[[Message], None]]) -> None:
        """Have `commands` carry out what is asked of a message by these names."""
        for what, command in commands.items():
            self._wanted[what] = partial(self._on, command=command)

    def take_arrivals(self) -> None:
        """Show how far the model is that a question waits for; when it fails, the words come back."""
        failure = self._arrivals.failure() if self._arrivals else None
        if self._held.text and failure is not None:
            self._held.take_back()
            self.notices.show_error(failure)
        self._tell_held()

    def show_models(self, *, searched: bool = False) -> None:
        """Show the state of the models; once they have been `searched`, none means that there is none."""
        self._searched = self._searched or searched
        model, status = self.chat.model, self._models.status
        self.bar.show_model(model, status)
        self.composer.set_notice(_caution(model))
        self._greet()
        self._tell_load_error(status.error)
        if self._was_ready and status.model is None:
            self._warmed, self._rested = False, True  # it is loaded again with the next word, not by itself
        elif model is not None and model.origin is Origin.STARTER and not self._rested:
            self.warm_up()
        self._was_ready = status.ready
        self._show_strip()
        if model is not None and (text := self._held.take_back()):
            self._try(lambda: self.chat.send(text, None))

    def warm_up(self) -> None:
        """Load the model that will answer, once, if nothing else is loaded or on its way."""
        model, status = self.chat.model, self._models.status
        if not self._warmed and self.chat.choices_known and model is not None and status.model is None:
            self._warmed = True
            self.chat.load(model)

    def take_update(self, update: Update) -> None:
        """Show what one drain brought for the chat that is shown."""
        shown = self.chat.message(update.message_id)
        if update.chat_id != self.chat.id or shown is None:
            return
        written = bool(update.text or update.reasoning)
        if written:
            self._transcript.append_stream(update.message_id, update.text, update.reasoning)
        if isinstance(update.event, Finished | Failed):
            self._transcript.finish_stream(self._row(with_progress(shown, self.chat.lives.get(shown.id))))
        elif not written:
            self._transcript.set_activity(update.message_id, activity_text(update.event))

    def take_lives(self) -> None:
        """Show whether the chat is being answered."""
        self.composer.set_answering(self.chat.answering or bool(self._held.text))
        if not self.chat.answering:
            self.composer.set_notice(_caution(self.chat.model))
        self._show_strip()

    def order_tabs(self) -> None:
        """Have the Tab key go through what is shown in its order."""
        self._transcript.order_tabs()

    def save_draft(self) -> None:
        """Save what stands unsent, now: the chat is about to be left."""
        self._drafts.save(self.chat.id, self.composer.unsent)

    @property
    def unsent(self) -> str:
        """Return all words of this chat that were not sent."""
        return "\n\n".join(filter(None, (self._held.text, self.composer.unsent)))

    def open_find(self) -> None:
        """Offer to find words in the chat."""
        if self._stack.currentWidget() is self._transcript:
            self.find_bar.open_bar()

    def find_next(self, by: int) -> None:
        """Go to the next match of what is looked for (1), or to the one before (-1)."""
        if self._transcript.finding.active:
            self.find_bar.step(by)
        else:
            self.open_find()

    def reveal(self, message_id: int, phrases: tuple[Phrase, ...]) -> None:
        """Go to a message that is shown, and mark `phrases` in it."""
        self.find_bar.close_bar()
        self._transcript.reveal(message_id, phrases)
        self._transcript.setFocus(Qt.FocusReason.OtherFocusReason)

    def escape(self) -> None:
        """Do the nearest thing that Esc can mean: stop, cancel the edit, forget marks, close a notice."""
        if self.chat.answering or self._held.text:
            self._stop()
        elif self._transcript.finding.active:
            self._forget_marks()
            self.returned.emit()
        elif self.composer.editing:
            self.composer.cancel_edit()
        else:
            self.notices.dismiss_newest()

    def regenerate_last(self) -> None:
        """Have the last answer written once more."""
        if answer := self.chat.last(Role.ASSISTANT):
            self._guard(lambda: self._try(lambda: self.chat.regenerate(answer)))

    def edit_last(self) -> None:
        """Offer the person's last message for editing."""
        if message := self.chat.last(Role.USER):
            self._edit(message.id)

    def copy_last(self) -> None:
        """Copy the last answer."""
        if answer := self.chat.last(Role.ASSISTANT):
            self._copy(answer.id)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the notices above the composer, however tall that is."""
        if watched is self.composer and event.type() == QEvent.Type.Resize:
            self.notices.set_bottom(self.composer.height())
        return super().eventFilter(watched, event)

    def _forget_marks(self) -> None:
        self.find_bar.close_bar()
        self._transcript.finding.look_for(None)

    def _leave_marks(self) -> None:
        """Forget the marks of a search, which are for one message; what is found in any chat goes on."""
        if self.find_bar.isHidden():
            self._transcript.finding.look_for(None)

    def _tell_load_error(self, error: str) -> None:
        """Say once why loading failed; where an answer waited for it, the answer says it."""
        if error and error != self._load_error and not self.chat.answering:
            self.notices.show_error(UserError(error, "", "choose-model"))
        self._load_error = error

    def _connect(self) -> None:
        chat, composer, transcript = self.chat, self.composer, self._transcript
        sheets = AnswerSheets(self._appearance, chat, self._models, self, self.notices.show_error)
        chat.leaving.connect(self.save_draft)
        chat.leaving.connect(self._leave_marks)
        self.find_bar.closed.connect(lambda: self.composer.setFocus(Qt.FocusReason.OtherFocusReason))
        chat.opened.connect(self._show_chat)
        chat.begun.connect(lambda: self._drafts.save(None, ""))
        chat.grown.connect(self._show_rows)
        chat.changed.connect(lambda: self._show_rows(keep_position=True))
        chat.sent.connect(self._sent)
        chat.sent_elsewhere.connect(lambda chat_id: self._drafts.save(chat_id, ""))
        chat.model_changed.connect(self.show_models)
        composer.submitted.connect(self._submit)
        composer.stop_requested.connect(self._stop)
        composer.edit_last_requested.connect(self.edit_last)
        composer.edit_cancelled.connect(self._forget_edit)
        composer.draft_changed.connect(lambda text: self._drafts.save(chat.id, text))
        composer.written.connect(self.warm_up)
        transcript.verticalScrollBar().rangeChanged.connect(self._align)
        self._wanted: dict[str, Callable[[int], None]] = {
            "copy": self._copy,
            "edit": self._edit,
            "regenerate": lambda number: self._guard(lambda: self._on(number, chat.regenerate)),
            "rewrite-summary": lambda number: self._try(self._rewrite_summary),
            "pin": lambda number: self._on(number, chat.horizon.pin),
            "budget": lambda number: self.budget_requested.emit(),
            "continue": lambda number: self._guard(lambda: self._on(number, chat.resume)),
            "versions": lambda number: self._guard(lambda: self._on(number, chat.write_versions)),
            "prompt": lambda number: self._on(number, sheets.show_prompt),
            "probabilities": lambda number: self._on(number, sheets.show_probabilities),
        }
        transcript.asked.connect(lambda what, number: self._wanted[what](number))
        transcript.version_requested.connect(chat.show_version)
        transcript.summary_written.connect(chat.horizon.write_summary)
        transcript.link_activated.connect(lambda address: ask_to_open(address, self.window()))
        self._empty.starter_chosen.connect(composer.fill)
        self._empty.file_requested.connect(self.file_requested)
        self._appearance.changed.connect(self._dress)

    def _align(self, lowest: int, highest: int) -> None:
        bar = self._transcript.verticalScrollBar()
        shown = highest > lowest and self._stack.currentWidget() is self._transcript
        self.composer.set_gutter(bar.sizeHint().width() if shown else 0)

    def _dress(self) -> None:
        palette = self._appearance.palette
        self._transcript.set_palette_tokens(veiled(palette) if self.chat.incognito else palette)
        self._transcript.set_text_scale(self._appearance.scale)

    def _show_chat(self) -> None:
        self._edited = None
        self._put_on_veil()
        self.composer.set_draft(self._drafts.of(self.chat.state.chat))
        self._show_rows()
        self.show_models()

    def _put_on_veil(self) -> None:
        """Wear what an incognito chat wears, or take it off."""
        if self.veil.isHidden() is self.chat.incognito:
            self.veil.setVisible(self.chat.incognito)
            self.setProperty("incognito", self.chat.incognito)
            self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, self.chat.incognito)
            self.style().unpolish(self)
            self.style().polish(self)
            self._dress()

    def _show_rows(self, *, keep_position: bool = False) -> None:
        if self._edited and self.chat.message(self._edited.id) is None:  # deleted meanwhile
            self.composer.cancel_edit()
        path = [*self.chat.state.path(self.chat.lives), *self._held.messages()]
        rows = self._with_line([self._row(message) for message in path])
        self._transcript.set_rows(rows, keep_position=keep_position)
        self._stack.setCurrentWidget(self._transcript if path else self._empty)
        self.veil.offer_keeping(bool(path))
        bar = self._transcript.verticalScrollBar()
        self._align(bar.minimum(), bar.maximum())
        self.take_lives()
        self._write_placeholder()
        if self.chat.waiting and self.chat.live:
            self._transcript.set_activity(
                self.chat.live.message.id, _("Waiting for an answer in another chat to finish…")
            )
        self._tell_held()

    def _row(self, message: Message) -> Row:
        if message.id in (QUESTION, ANSWER):
            return Row(message, 1, (message.id,))
        versions = self.chat.state.tree.versions(message.id)
        place = versions.index(message.id) + 1
        return Row(message, place, tuple(versions), pinned=message.pinned)

    def _with_line(self, rows: list[Row]) -> list[Row]:
        """Return `rows` with the line above which the model no longer sees, if there is one."""
        line = self.chat.horizon.line
        place = next((n for n, row in enumerate(rows) if line and row.message.id == line[0]), 0)
        if line is None or not place:
            return rows
        text = line[1].text if line[1] else ""
        above = [replace(row, above=True) for row in rows[:place]]
        return [*above, boundary_row(self.chat.id or 0, line[0], text), *rows[place:]]

    def _submit(self, text: str) -> None:
        if self.chat.answering:
            self.composer.set_notice(
                _(
                    "An answer is still being written in this chat. Send your "
                    "message when it is finished, or stop the answer."
                )
            )
            return
        if self._held.text:
            self.composer.set_notice(_("Your last message is still waiting for a model."))
        elif self.chat.model is None and self._edited is None:
            self._held.hold(text)
        else:
            edited = self._edited
            self._guard(lambda: self._try(lambda: self.chat.send(text, edited)))

    def _stop(self) -> None:
        if self._held.text:
            self._held.take_back()
        else:
            self.chat.stop()

    def _tell_held(self) -> None:
        """Say what a question waits for."""
        if self._held.text:
            words = self._arrivals.words() if self._arrivals and self._searched else ""
            self._transcript.set_activity(ANSWER, words)
            self._show_strip()

    def _show_strip(self) -> None:
        """Say what is so about the model that should answer, and what can be done."""
        strip, choose = self.composer.strip, Offer(_("Choose a model"), self.bar.model_requested.emit)
        if not self._searched or self.chat.answering:
            strip.say("")
        elif self._held.text:
            missing = self._arrivals is None or not self._arrivals.expected
            best = self._first_run.offer() if self._first_run else None
            offers = [best, choose] if best else [choose]
            strip.say(_("There is no model on this computer yet.") if missing else "", offers)
        elif other := instead(self.chat.state, self.chat.model, self._models.known, self._models.status):
            model = other.model
            offers = [Offer(answer_with(model), partial(self.chat.choose, model))] if model else []
            strip.say(other.text, [*offers, choose] if other.gone else offers)
        else:
            strip.say("")

    def _sent(self, text: str) -> None:
        self._edited = None
        self.composer.clear_sent(text)

    def _copy(self, message_id: int) -> None:
        QGuiApplication.clipboard().setText(self._transcript.copy_text(message_id))

    def _edit(self, message_id: int) -> None:
        if message_id == QUESTION:
            self._held.take_back()
            return
        message = self.chat.message(message_id)
        if message is not None:
            self._edited = message
            self.composer.begin_edit(message.text)

    def _rewrite_summary(self) -> None:
        if self.chat.horizon.rewrite_summary():
            self.notices.show_offer(_("The model is writing the summary anew…"))

    def _forget_edit(self) -> None:
        self._edited = None

    def _on(self, message_id: int, command: Callable[[Message], None]) -> None:
        if message := self.chat.message(message_id):
            self._try(lambda: command(message))

    def _try(self, command: Callable[[], None]) -> None:
        try:
            command()
        except UserError as error:
            self.notices.show_error(error)

    def _greet(self) -> None:
        model = self.chat.model
        if self._first_run is not None:
            self._first_run.set_starter(model is not None and model.origin is Origin.STARTER)
        own = any(model.origin is not Origin.STARTER for model in self._models.known)
        begun = self._first_run is not None and self._first_run.begun
        introduced = self._first_run is not None and self._first_run.ready and (begun or not own)
        self._empty.show_state(
            self.chat.model, first=self._first, searched=self._searched, introduced=introduced
        )
        self._write_placeholder()

    def _write_placeholder(self) -> None:
        model = self.chat.model
        if self._stack.currentWidget() is self._transcript:
            text = _("Reply to {model}").format(model=model.name) if model else _("Reply")
        elif self.chat.incognito:
            text = _("Ask anything; nothing of it is kept")
        elif self._first and model and model.origin is Origin.STARTER and self._models.status.ready:
            text = _("Ask anything; the starter model is ready")
        else:
            text = _("Ask anything")
        self.composer.set_placeholder(text)


def _caution(model: Model | None) -> str:
    return model.caution if model else ""
