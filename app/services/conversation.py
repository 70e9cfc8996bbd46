"""One turn, from the words of a person to the last word of the answer: send, stop, regenerate, continue."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.chat import CONTINUABLE, Message, ModelIdentity, Role, Started, Status
from app.domain.errors import UserError
from app.domain.generation import EngineEvent, Failed, Finished, Job, Piece, Request, StopReason, Turn
from app.domain.language import _
from app.domain.model import Model
from app.domain.settings import Settings
from app.engine.worker import Engine
from app.storage.chats import ChatStore

_STATUS = {
    StopReason.END: Status.COMPLETE,
    StopReason.LENGTH: Status.CUT,
    StopReason.CANCELLED: Status.STOPPED,
}


class Phase(StrEnum):
    """Where a live answer stands."""

    RUNNING = "running"
    UNSAVED = "unsaved"  # ended, but the disk would not take it: `retry_save`


@dataclass(slots=True)
class Live:
    """An answer on its way.

    Attributes:
        message: The reply's row as it was when the engine started on it.
        pieces: The text so far, the part before a "continue" included.
        ending: How it ended, once it has.
    """

    message: Message
    job: Job
    pieces: list[str] = field(default_factory=list)
    phase: Phase = Phase.RUNNING
    ending: tuple[Status, Finished | Failed] | None = None

    @property
    def text(self) -> str:
        """Return the answer as far as it has come."""
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Update:
    """What one drain brought for one answer: `text` to append, and the last event that is not text."""

    chat_id: int
    message_id: int
    text: str
    event: EngineEvent | None


class Conversation:
    """Runs the turns of all chats, at most one at a time in each.

    Lives on one thread, the GUI's or a terminal's. The owner calls `pump` about 30 times a
    second while `live` is not empty.

    Attributes:
        live: The answers on their way, by chat.
        on_started: Called when an answer has entered `live`.
    """

    def __init__(
        self,
        store: ChatStore,
        engine: Engine,
        post: Callable[[Callable[[], None]], None],
        report: Callable[[UserError], None],
    ) -> None:
        """Wire the service.

        Args:
            store: Where every word goes before it is shown.
            engine: What answers.
            post: Runs a callable on the thread of this service.
            report: Shows an error that no caller waits for.
        """
        self._store = store
        self._engine = engine
        self._post = post
        self._report = report
        self._closing = False
        self.live: dict[int, Live] = {}
        self.on_started: Callable[[Live], None] = lambda live: None

    def send(
        self, chat_id: int | None, parent_id: int | None, text: str, model: Model, settings: Settings
    ) -> "Future[Started]":
        """Say `text` after the message `parent_id` (None: as the first) and have `model` answer.

        Without a `chat_id` a new chat is made. The future resolves once the words are safe on disk.
        Editing is the same with the parent of the edited message: the old words stay as a version.

        Raises:
            UserError: For an empty text, or a chat whose last answer is still on its way.
        """
        if not text.strip():
            raise UserError(_("There is nothing to send yet."), _("Write something first."))
        self._refuse_busy(chat_id)
        return self._begin(
            self._store.start_turn(chat_id, parent_id, text, _identity(model), settings.checked()), model
        )

    def regenerate(self, answer: Message, model: Model, settings: Settings) -> "Future[Started]":
        """Answer again: a new version beside `answer`."""
        self._refuse_busy(answer.chat_id)
        return self._begin(
            self._store.start_reply(answer.chat_id, answer.parent_id, _identity(model), settings.checked()),
            model,
        )

    def resume(self, answer: Message, model: Model, settings: Settings) -> "Future[Started]":
        """Go on with an answer that broke off, in its own message."""
        if answer.status not in CONTINUABLE:
            raise UserError(_("This answer is whole: there is nothing to continue."))
        self._refuse_busy(answer.chat_id)
        return self._begin(self._store.resume_reply(answer.id, _identity(model), settings.checked()), model)

    def stop(self, chat_id: int) -> None:
        """Stop the answer of a chat; what it has written stays."""
        if chat_id in self.live:
            self._engine.cancel(self.live[chat_id].job)

    def pump(self) -> list[Update]:
        """Take what the engine has written since the last call: first to the store, then to the caller."""
        updates = []
        for chat_id, live in list(self.live.items()):
            if live.ending is not None:
                continue
            events = live.job.drain()
            text = "".join(event.text for event in events if isinstance(event, Piece))
            if text:
                live.pieces.append(text)
                self._store.append_chunk(live.message.id, text)
            told = next((event for event in reversed(events) if not isinstance(event, Piece)), None)
            if events:
                updates.append(Update(chat_id, live.message.id, text, told))
            if isinstance(told, Finished | Failed):
                self._end(live, told)
        return updates

    def retry_save(self) -> None:
        """Store once more the answers that the disk would not take."""
        for live in self.live.values():
            if live.phase is Phase.UNSAVED:
                live.phase = Phase.RUNNING
                self._store_ending(live)

    def close(self, timeout: float = 3.0) -> None:
        """Stop every answer and wait up to `timeout` seconds until what they wrote is stored."""
        self._closing = True
        self.retry_save()
        for live in self.live.values():
            self._engine.cancel(live.job)
        deadline = time.monotonic() + timeout
        while any(live.ending is None for live in self.live.values()) and time.monotonic() < deadline:
            self.pump()
            time.sleep(0.005)

    def _refuse_busy(self, chat_id: int | None) -> None:
        if chat_id in self.live:
            raise UserError(
                _("This chat is still being answered."), _("Wait for the end, or stop the answer first.")
            )

    def _begin(self, starting: "Future[Started]", model: Model) -> "Future[Started]":
        def started(future: "Future[Started]") -> None:
            if future.exception() is None:
                self._post(lambda: self._run(future.result(), model))

        starting.add_done_callback(started)
        return starting

    def _run(self, started: Started, model: Model) -> None:
        reply = started.reply
        turns = [Turn(str(message.role), message.text) for message in started.path]
        if started.chat.system_prompt:
            turns.insert(0, Turn(str(Role.SYSTEM), started.chat.system_prompt))
        if reply.text:
            turns.append(Turn(str(Role.ASSISTANT), reply.text))
        settings = reply.settings or Settings()
        request = Request(model.path, tuple(turns), settings, continues=bool(reply.text))
        live = Live(reply, self._engine.submit(request), [reply.text] if reply.text else [])
        self.live[reply.chat_id] = live
        if self._closing:
            self._engine.cancel(live.job)
        self.on_started(live)

    def _end(self, live: Live, event: Finished | Failed) -> None:
        if isinstance(event, Failed) or event.stats is None:
            status = Status.FAILED
        else:
            status = _STATUS[event.stats.stop_reason]
        if status is Status.STOPPED and self._closing:
            status = Status.INTERRUPTED
        live.ending = (status, event)
        self._store_ending(live)

    def _store_ending(self, live: Live) -> None:
        if live.ending is None:
            return
        status, event = live.ending
        stats = event.stats if isinstance(event, Finished) else None
        error = str(event.error) if isinstance(event, Failed) else ""

        def stored(future: "Future[None]") -> None:
            self._post(lambda: self._stored(live, future.exception()))

        self._store.finish(live.message.id, live.text, status, stats, error).add_done_callback(stored)

    def _stored(self, live: Live, problem: BaseException | None) -> None:
        if problem is None:
            del self.live[live.message.chat_id]
            return
        live.phase = Phase.UNSAVED
        if isinstance(problem, UserError):
            self._report(UserError(problem.message, problem.hint, "retry-save"))
        else:
            raise problem


def _identity(model: Model) -> ModelIdentity:
    return ModelIdentity(model.name, model.sha256, str(model.path))
