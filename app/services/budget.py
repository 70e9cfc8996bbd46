"""What the next message of a chat would send to its model, counted while a person types."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from app.domain.budget import Budget, Digest, Rules, Summary, Weight, room_to_answer
from app.domain.chat import Chat, Message, Role
from app.domain.generation import Failed, Fitted, Job, Measured, Request, Standing, Window
from app.domain.loading import Adapter, LoadOptions
from app.domain.model import Model
from app.domain.settings import Settings
from app.engine.worker import Engine
from app.services.errands import Errands, Events
from app.services.extension import Extensions
from app.services.windows import extended, standing_id, turns_of, window_of
from app.storage.chats import ChatStore

_BYTES_A_TOKEN = 4  # of English text; an estimate is marked as one
_FRAME = 5  # tokens that a chat template puts around a message, about
_USUAL_CONTEXT = 4096
_DRAFT = -1  # the id of what is not said yet


class Budgets:
    """Counts with the tokenizer of the model. Lives on the thread of the conversation.

    Counting happens on the engine's thread, each message once for each model; while an answer is being
    written nothing is counted, and what was asked for comes when that has ended.
    """

    def __init__(
        self,
        store: ChatStore,
        engine: Engine,
        post: Callable[[Callable[[], None]], None],
        errands: Errands,
        extensions: Extensions,
    ) -> None:
        """Wire the service.

        Args:
            store: Where the chats are.
            engine: What counts.
            post: Runs a callable on the thread of this service.
            errands: Those of the conversation, whose `pump` brings what was counted.
            extensions: What looks for larger contexts.
        """
        self._store, self._engine, self._post = store, engine, post
        self._errands, self._extensions = errands, extensions
        self._newest: Future[Budget] | None = None
        self._job: Job | None = None

    def of(
        self,
        chat_id: int | None,
        tip_id: int | None,
        draft: str,
        model: Model,
        settings: Settings,
        options: LoadOptions | None = None,
        adapters: tuple[Adapter, ...] = (),
        *,
        system_prompt: str = "",
    ) -> "Future[Budget]":
        """Return what saying `draft` after the message `tip_id` would send.

        Call it some 300 ms after the last key, and after `Changed` of the chat, its messages, its summaries
        or the engine. Asking again cancels what was asked before and has not come: only the newest counts.
        The arguments are those of `Conversation.send`, and `system_prompt` counts only without a `chat_id`.
        For a model that is not loaded it is an estimate: `Budget.exact` is False.
        The future resolves on the thread of the conversation while that is pumped.
        """
        if self._newest is not None:
            self._newest.cancel()
        if self._job is not None:
            self._engine.cancel(self._job)
            self._job = None
        found = self._newest = Future[Budget]()
        empty = _Page(
            Chat(0, system_prompt=system_prompt),
            [],
            [],
            draft,
            model,
            settings,
            options or LoadOptions(),
            adapters,
        )
        if chat_id is None:
            self._post(lambda: self._count(empty, found))
            return found

        def read(reading: "Future[tuple[Chat, list[Message], list[Summary]]]") -> None:
            if found.cancelled():
                return
            if (error := reading.exception()) is not None:
                self._post(lambda: _fail(found, error))
            else:
                chat, path, summaries = reading.result()
                page = replace(empty, chat=chat, path=path, summaries=summaries)
                self._post(lambda: self._count(page, found))

        self._store.summarised_path(chat_id, tip_id).add_done_callback(read)
        return found

    def larger_context(
        self, model: Model, options: LoadOptions | None, budget: Budget
    ) -> "Future[int | None]":
        """Return the context that `Policy.EXTEND` would take next; None when memory or model forbid one.

        `History.set_context` gives it to a chat at once.
        """
        needed = max(budget.used + budget.room, budget.context + 1)
        return self._extensions.next_context(model, options or LoadOptions(), budget.context, needed)

    def _count(self, page: "_Page", found: "Future[Budget]") -> None:
        if found.cancelled():
            return
        if not self._engine.status.of(page.model.path).ready:
            found.set_result(self._estimate(page))
            return

        def counted(events: Events) -> None:
            if found.cancelled():
                return
            measured = next((event for event in events if isinstance(event, Measured)), None)
            if isinstance(events[-1], Failed):
                found.set_exception(events[-1].error)
            else:
                found.set_result(self._estimate(page) if measured is None else page.budget(measured))

        self._job = self._engine.measure(page.request)
        self._errands.add(self._job, counted)

    def _estimate(self, page: "_Page") -> Budget:
        context = page.request.settings.context or _USUAL_CONTEXT
        messages = tuple(_guess(message.text) + _FRAME for message in page.messages)
        room = room_to_answer(context, page.settings.max_tokens)
        weights = [
            Weight(tokens, message.role is Role.USER, message.pinned)
            for tokens, message in zip(messages, page.messages, strict=True)
        ]
        window, system = page.window, _guess(page.chat.system_prompt)
        choice = Rules(system, weights, context - room).choose(
            since=window.since, held=_digest(window.held), ahead=_digest(window.ahead)
        )
        standing = choice and next(
            (each for each in (window.held, window.ahead) if each and _digest(each) == choice.digest), None
        )
        fitted = Fitted(choice.start, standing or None) if choice else None
        summary = _guess(standing.text) if standing else 0
        measured = Measured(context, room, system, messages, summary, fitted, choice is None, waits=False)
        return replace(page.budget(measured), exact=False)


@dataclass(frozen=True, slots=True)
class _Page:
    """What is counted."""

    chat: Chat
    path: list[Message]
    summaries: list[Summary]
    draft: str
    model: Model
    settings: Settings
    options: LoadOptions
    adapters: tuple[Adapter, ...]

    @property
    def messages(self) -> list[Message]:
        said = Message(_DRAFT, self.chat.id, None, Role.USER, self.draft)
        return [*self.path, said] if self.draft.strip() else self.path

    @property
    def window(self) -> Window:
        return window_of(self.chat, self.messages, self.summaries)

    @property
    def request(self) -> Request:
        return Request(
            self.model.path,
            turns_of(self.chat, self.messages),
            extended(self.chat, self.settings),
            options=self.options,
            adapters=self.adapters,
            window=self.window,
        )

    def budget(self, measured: Measured) -> Budget:
        """Return what `measured` says in terms of the chat."""
        counts = list(zip(self.messages, measured.messages, strict=True))
        start = measured.fitted.start if measured.fitted else 0
        sent = [(m, tokens) for n, (m, tokens) in enumerate(counts) if n >= start or m.pinned]
        seen = tuple(message.id for message, _tokens in sent if message.id != _DRAFT)
        known = set(seen)
        standing = measured.fitted.standing if measured.fitted else None
        return Budget(
            measured.context,
            policy=self.chat.policy,
            system=measured.system,
            summary=measured.summary,
            pinned=sum(tokens for message, tokens in sent if message.pinned),
            turns=sum(tokens for message, tokens in sent if not message.pinned and message.id != _DRAFT),
            draft=sum(tokens for message, tokens in sent if message.id == _DRAFT),
            room=measured.room,
            seen=seen,
            unseen=tuple(message.id for message in self.path if message.id not in known),
            summary_id=standing_id(self.path, self.summaries, standing) if standing else None,
            too_long=measured.fitted is None,
            waits=measured.waits,
        )


def _digest(standing: Standing | None) -> Digest | None:
    return None if standing is None else Digest(standing.until, _guess(standing.text))


def _fail(found: "Future[Budget]", error: BaseException) -> None:
    if not found.cancelled():
        found.set_exception(error)


def _guess(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_A_TOKEN)
