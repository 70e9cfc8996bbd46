"""One turn, from the words of a person to the last word of the answer: send, stop, regenerate, continue."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from app.domain.budget import Policy, Summary
from app.domain.chat import CONTINUABLE, Chat, Message, ModelIdentity, Role, Started, Status
from app.domain.errors import UserError
from app.domain.generation import Failed, Finished, Rendered, StopReason
from app.domain.language import _
from app.domain.loading import Adapter, LoadOptions
from app.domain.model import Model
from app.domain.settings import MAX_SEED, Settings
from app.domain.undo import Act
from app.engine.worker import Engine
from app.services.errands import Errands
from app.services.exact_prompts import ExactPrompts
from app.services.extension import Extensions
from app.services.live import Live, Phase, Update
from app.services.making_room import MakingRoom
from app.services.rewriting import Rewriting
from app.services.titles import Titles
from app.services.windows import Writer, request_for
from app.storage.chats import ChatStore

T = TypeVar("T")

_STATUS = {
    StopReason.END: Status.COMPLETE,
    StopReason.LENGTH: Status.CUT,
    StopReason.CANCELLED: Status.STOPPED,
}


_ANSWERED = frozenset({Status.COMPLETE, Status.CUT})


class Conversation:
    """Runs the turns of all chats: in each one answer at a time, or several versions of one side by side.

    Lives on one thread, the GUI's or a terminal's. The owner calls `pump` about 30 times a
    second while it is `busy`.

    Attributes:
        live: The answers on their way, by the id of their message.
        errands: What else the engine is asked for.
        extensions: What looks for larger contexts.
        rewriting: What has summaries written anew.
        on_busy: Called when something is on its way that `pump` brings.
    """

    def __init__(
        self,
        store: ChatStore,
        engine: Engine,
        post: Callable[[Callable[[], None]], None],
        report: Callable[[UserError], None],
        titles: Titles | None = None,
    ) -> None:
        """Wire the service.

        Args:
            store: Where every word goes before it is shown.
            engine: What answers.
            post: Runs a callable on the thread of this service.
            report: Shows an error that no caller waits for.
            titles: Names chats; None leaves them named after their first message.
        """
        self._store = store
        self._engine = engine
        self._post = post
        self._report = report
        self._titles = titles
        self.errands = Errands(lambda: self.on_busy())
        self.extensions = Extensions()
        self._room = MakingRoom(store, engine, post, self.errands, self.extensions)
        self.rewriting = Rewriting(store, engine, post, self.errands)
        self._prompts = ExactPrompts(store, engine, post, self.errands)
        self._closing = False
        self.live: dict[int, Live] = {}
        self.on_busy: Callable[[], None] = lambda: None

    @property
    def busy(self) -> bool:
        """Return whether the engine is at something that `pump` brings."""
        return bool(self.errands) or any(live.phase is Phase.RUNNING for live in self.live.values())

    def lives(self, chat_id: int | None) -> list[Live]:
        """Return the answers of one chat that are on their way."""
        return [live for live in self.live.values() if live.message.chat_id == chat_id]

    def send(
        self,
        chat_id: int | None,
        parent_id: int | None,
        text: str,
        model: Model,
        settings: Settings,
        options: LoadOptions | None = None,
        adapters: tuple[Adapter, ...] = (),
        *,
        system_prompt: str = "",
        edits: bool = False,
    ) -> "Future[Started]":
        """Say `text` after the message `parent_id` (None: as the first) and have `model` answer.

        Without a `chat_id` a new chat is made, with `system_prompt`. The future resolves once the words are
        safe on disk. Editing is the same with the parent of the edited message, and `edits`: the old words
        stay as a version.
        Without `options`, here and in the following, how the model is loaded is left to the engine.

        Raises:
            UserError: For an empty text, or a chat whose last answer is still on its way. Through the future,
                with the action "context-full", when the chat does not fit and its policy is to ask: nothing
                is stored then.
        """
        if not text.strip():
            raise UserError(_("There is nothing to send yet."), _("Write something first."))
        self._refuse_busy(chat_id)
        checked, writer = settings.checked(), Writer(model, options, adapters)

        def start() -> "Future[Started]":
            starting = self._store.start_turn(
                chat_id,
                parent_id,
                text,
                _identity(model),
                checked,
                system_prompt=system_prompt,
                act=Act.EDIT if edits else Act.SEND,
            )
            return self._begin(starting, lambda started: [started], writer)

        if chat_id is None:
            return start()
        said = Message(0, chat_id, parent_id, Role.USER, text)
        return self._when_allowed(chat_id, parent_id, [said], writer, checked, start)

    def regenerate(
        self,
        answer: Message,
        model: Model,
        settings: Settings,
        options: LoadOptions | None = None,
        adapters: tuple[Adapter, ...] = (),
    ) -> "Future[Started]":
        """Answer again: a new version beside `answer`. See `send` for what is refused."""
        self._refuse_busy(answer.chat_id)
        checked, writer = settings.checked(), Writer(model, options, adapters)

        def start() -> "Future[Started]":
            starting = self._store.start_reply(answer.chat_id, answer.parent_id, _identity(model), checked)
            return self._begin(starting, lambda started: [started], writer)

        return self._when_allowed(answer.chat_id, answer.parent_id, [], writer, checked, start)

    def versions(
        self,
        answer: Message,
        model: Model,
        settings: Settings,
        options: LoadOptions | None = None,
        adapters: tuple[Adapter, ...] = (),
        *,
        count: int = 3,
    ) -> "Future[list[Started]]":
        """Answer again `count` times at once; the first of the new versions is the one that is shown.

        A seed that is given is the first one's, and the others count on from it. `send` says what is refused.
        """
        self._refuse_busy(answer.chat_id)
        seed = settings.checked().seed
        each = [
            settings if seed is None else replace(settings, seed=(seed + number) % (MAX_SEED + 1))
            for number in range(count)
        ]
        writer = Writer(model, options, adapters)

        def start() -> "Future[list[Started]]":
            starting = self._store.start_replies(answer.chat_id, answer.parent_id, _identity(model), each)
            return self._begin(starting, lambda started: started, writer)

        return self._when_allowed(answer.chat_id, answer.parent_id, [], writer, each[0], start)

    def resume(
        self,
        answer: Message,
        model: Model,
        settings: Settings,
        options: LoadOptions | None = None,
        adapters: tuple[Adapter, ...] = (),
    ) -> "Future[Started]":
        """Go on with an answer that broke off, in its own message. See `send` for what is refused."""
        if answer.status not in CONTINUABLE:
            raise UserError(_("This answer is complete; there is nothing to continue."))
        self._refuse_busy(answer.chat_id)
        checked, writer = settings.checked(), Writer(model, options, adapters)

        def start() -> "Future[Started]":
            starting = self._store.resume_reply(answer.id, _identity(model), checked)
            return self._begin(starting, lambda started: [started], writer)

        return self._when_allowed(answer.chat_id, answer.id, [], writer, checked, start)

    def stop(self, chat_id: int) -> None:
        """Stop every answer of a chat; what they have written stays."""
        for live in self.lives(chat_id):
            self._engine.cancel(live.job)

    def stop_loading(self, model: Path) -> None:
        """Stop every answer that has `model` loaded: while that goes on none of them can have begun."""
        for live in self.live.values():
            if live.model.path == model:
                self._engine.cancel(live.job)

    def forget(self, chat_id: int) -> None:
        """Stop what is written in a chat that was deleted, and keep nothing of what was read in it."""
        self.stop(chat_id)
        self._engine.forget(chat_id)

    def prompt(self, answer: Message) -> "Future[Rendered]":
        """Return exactly what a model read before it wrote `answer`."""
        return self._prompts.of(answer)

    def pump(self) -> list[Update]:
        """Take what the engine has written since the last call: first to the store, then to the caller."""
        self.errands.drain()
        updates = []
        for live in list(self.live.values()):
            if live.ending is not None or not (arrived := live.job.drain()):
                continue
            if not (events := self._room.take(live, arrived)):
                continue
            update, chosen = live.take(events)
            if update.text or update.reasoning or chosen:
                self._store.append_chunk(
                    update.message_id,
                    update.text,
                    reasoning=update.reasoning,
                    reasoning_seconds=live.reasoning_seconds,
                    chosen=chosen,
                )
            updates.append(update)
            if isinstance(update.event, Finished | Failed):
                self._end(live, update.event)
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
        for job in [*self.errands.jobs, *(live.job for live in self.live.values())]:
            self._engine.cancel(job)
        deadline = time.monotonic() + timeout
        while any(live.ending is None for live in self.live.values()) and time.monotonic() < deadline:
            self.pump()
            time.sleep(0.005)
        self.extensions.close()

    def _refuse_busy(self, chat_id: int | None) -> None:
        if self.lives(chat_id):
            raise UserError(
                _("An answer is still being written in this chat."),
                _("Wait until it is finished, or stop it first."),
            )

    def _when_allowed(
        self,
        chat_id: int,
        tip_id: int | None,
        said: list[Message],
        writer: Writer,
        settings: Settings,
        start: "Callable[[], Future[T]]",
    ) -> "Future[T]":
        """Call `start` unless a person wants to be asked first, as the chat with `said` does not fit."""
        allowed: Future[T] = Future()

        def go() -> None:
            try:
                self._refuse_busy(chat_id)
            except UserError as error:
                allowed.set_exception(error)
            else:
                _pass_on(start(), allowed)

        def read(reading: "Future[tuple[Chat, list[Message], list[Summary]]]") -> None:
            if (error := reading.exception()) is not None:
                allowed.set_exception(error)
                return
            chat, path, summaries = reading.result()
            if chat.policy is not Policy.ASK:
                self._post(go)
                return
            request = request_for(chat, [*path, *said], summaries, settings, writer)
            self._post(lambda: self._room.ask(request, go, allowed.set_exception))

        self._store.summarised_path(chat_id, tip_id).add_done_callback(read)
        return allowed

    def _begin(
        self, starting: "Future[T]", turns_of: Callable[[T], Sequence[Started]], writer: Writer
    ) -> "Future[T]":
        def started(future: "Future[T]") -> None:
            if future.exception() is None:
                self._post(lambda: self._run_all(turns_of(future.result()), writer))

        starting.add_done_callback(started)
        return starting

    def _run_all(self, turns: Iterable[Started], writer: Writer) -> None:
        for started in turns:
            self._run(started, writer)
        self.on_busy()

    def _run(self, started: Started, writer: Writer) -> None:
        reply = started.reply
        begun = bool(reply.text or reply.reasoning)
        path = [*started.path, reply] if begun else started.path
        settings = reply.settings or Settings()
        request = request_for(started.chat, path, started.summaries, settings, writer, continues=begun)
        live = Live.of(started, writer.model, self._engine.submit(request), request)
        self.live[reply.id] = live
        if self._closing:
            self._engine.cancel(live.job)

    def _end(self, live: Live, event: Finished | Failed) -> None:
        if isinstance(event, Failed) or event.stats is None:
            status = Status.FAILED
        else:
            status = _STATUS[event.stats.stop_reason]
        if status is Status.STOPPED and self._closing:
            status = Status.INTERRUPTED
        live.ending = (status, event)
        self._store_ending(live)
        if isinstance(event, Finished) and event.stats and status in _ANSWERED and not self._closing:
            self._room.consider(
                live, event.stats.context, event.stats.prompt_tokens + event.stats.generated_tokens
            )
        if status is Status.COMPLETE and self._titles and not self._closing:
            self._titles.consider(live, self.errands)

    def _store_ending(self, live: Live) -> None:
        if live.ending is None:
            return
        status, event = live.ending
        stats = event.stats if isinstance(event, Finished) else None
        error = str(event.error) if isinstance(event, Failed) else ""

        def stored(future: "Future[None]") -> None:
            self._post(lambda: self._stored(live, future.exception()))

        self._store.finish(
            live.message.id,
            live.text,
            status,
            stats,
            error,
            reasoning=live.reasoning,
            reasoning_seconds=live.reasoning_seconds,
        ).add_done_callback(stored)

    def _stored(self, live: Live, problem: BaseException | None) -> None:
        gone = live.started.chat.incognito and isinstance(problem, UserError)  # its chat has ended
        if problem is None or gone:
            del self.live[live.message.id]
            return
        live.phase = Phase.UNSAVED
        if isinstance(problem, UserError):
            self._report(UserError(problem.message, problem.hint, "retry-save"))
        else:
            raise problem


def _pass_on(source: "Future[T]", target: "Future[T]") -> None:
    """Let `target` end as `source` does."""

    def ended(future: "Future[T]") -> None:
        if (error := future.exception()) is not None:
            target.set_exception(error)
        else:
            target.set_result(future.result())

    source.add_done_callback(ended)


def _identity(model: Model) -> ModelIdentity:
    return ModelIdentity(model.name, model.sha256, str(model.path))
