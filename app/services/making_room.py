"""What happens before an answer when its chat has outgrown the context, and after one when it soon will."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.budget import WATCH, Policy, Summary, room_to_answer
from app.domain.budget_words import outgrown
from app.domain.chat import Message, is_incognito
from app.domain.generation import (
    Covers,
    EngineEvent,
    Failed,
    Finished,
    Fitted,
    Measured,
    Overflow,
    Piece,
    Request,
    StopReason,
    Summarising,
    WaitsForSummary,
    Window,
    unread,
)
from app.domain.settings import Settings
from app.engine.worker import Engine
from app.services.errands import Errands, Events
from app.services.extension import Extensions
from app.services.live import Live
from app.services.windows import standing_id, turns_of, window_of
from app.storage.chats import ChatStore

if TYPE_CHECKING:
    Post = Callable[[Callable[[], None]], None]

_MOST_ROUNDS = 8  # summaries and extensions for one answer; then the oldest turns are left out


class MakingRoom:
    """Summarises, extends, and remembers what each answer saw. Lives on the thread of the conversation."""

    def __init__(
        self, store: ChatStore, engine: Engine, post: "Post", errands: Errands, extensions: Extensions
    ) -> None:
        """Wire the service.

        Args:
            store: Where summaries are kept, and what each answer saw.
            engine: What writes summaries.
            post: Runs a callable on the thread of the conversation.
            errands: Those of the conversation.
            extensions: What looks for larger contexts.
        """
        self._store, self._engine, self._post, self._errands = store, engine, post, errands
        self._extensions = extensions
        self._ahead: dict[int, list[Callable[[Summary | None], None]]] = {}

    def take(self, live: Live, events: list[EngineEvent]) -> list[EngineEvent]:
        """Return those of `events` that belong to the answer; the others make room for it."""
        left: list[EngineEvent] = []
        for event in events:
            if isinstance(event, Fitted):
                self._remember(live, event)
            elif isinstance(event, Overflow):
                live.overflow, live.aside = event, []
            elif live.aside is None:
                left.append(event)
            else:
                live.aside.append(event)
                if isinstance(event, Finished | Failed):
                    left += self._ended(live, event)
        if live.aside is not None and live.request.window and not left:
            left = [WaitsForSummary()] if live.request.window.policy is Policy.SUMMARISE else []
        return left

    def consider(self, live: Live, stats_context: int, tokens: int) -> None:
        """Have a summary written ahead when the chat of an answer that has ended is about to be too long."""
        window, chat_id = live.request.window, live.message.chat_id
        if window is None or window.policy is not Policy.SUMMARISE or live.fitted is None:
            return
        room = room_to_answer(stats_context, live.request.settings.max_tokens)
        if tokens < WATCH * (stats_context - room) or chat_id in self._ahead:
            return
        answered = [*live.started.path, replace(live.message, text=live.text, reasoning="")]
        known = window_of(live.started.chat, answered, live.summaries)
        window = replace(known, since=live.fitted.start, held=live.fitted.standing)
        self._ahead[chat_id] = []
        request = replace(live.request, turns=turns_of(live.started.chat, answered), window=window)
        self._write_ahead(live, answered, request, None)

    def _write_ahead(self, live: Live, path: list[Message], request: Request, until: int | None) -> None:
        """Have a summary written while nobody waits, in as many steps as it takes."""
        window = request.window or Window()

        def written(events: Events) -> None:
            covers = next((e for e in events if isinstance(e, Covers)), None)

            def done(summary: Summary | None) -> None:
                waiting = self._ahead[live.message.chat_id]
                if summary and covers and covers.until < covers.wanted and not waiting:
                    ahead = window_of(live.started.chat, path, live.summaries).ahead
                    going_on = replace(request, window=replace(window, ahead=ahead))
                    self._write_ahead(live, path, going_on, covers.wanted)
                    return
                del self._ahead[live.message.chat_id]
                for go_on in waiting:
                    go_on(summary)

            self._store_summary(live.summaries, path, window, events, done)

        asked = summary_request(request, until, background=True)
        self._errands.add(self._engine.submit(asked), written)

    def ask(
        self, request: Request, fits: Callable[[], None], refuse: Callable[[BaseException], None]
    ) -> None:
        """Call `fits` when all of `request` fits, and else `refuse`; its model is loaded for that."""

        def measured(events: Events) -> None:
            found = next((event for event in events if isinstance(event, Measured)), None)
            if found is not None and found.overflows:
                refuse(outgrown(found.total, found.context))
            else:
                fits()  # what cannot be measured cannot be answered either, and that says why

        def loaded(_events: Events) -> None:
            self._errands.add(self._engine.measure(request), measured)

        loading = self._engine.load(request.model, request.settings.context, request.options)
        self._errands.add(loading, loaded)

    def _remember(self, live: Live, fitted: Fitted) -> None:
        live.fitted = fitted
        path = live.started.path
        if path and (fitted.start or any(message.seen_from for message in path)):
            found = standing_id(path, live.summaries, fitted.standing)
            first = path[min(fitted.start, len(path) - 1)].id
            self._store.mark_seen(live.message.id, first, found)

    def _ended(self, live: Live, end: Finished | Failed) -> list[EngineEvent]:
        """Go on when what came before the answer has ended; return what to tell of it."""
        overflow, events = live.overflow, live.aside or []
        if live.job.cancelled:
            live.aside = None
            return [Finished(unread(live.request.settings.seed or 0))]
        if overflow is not None:
            live.overflow = None
            live.rounds += 1
            self._make_room(live, overflow)
            return []
        window = live.request.window
        if window is not None:
            self._store_summary(
                live.summaries, live.started.path, window, events, lambda summary: self._again(live, summary)
            )
        return []

    def _make_room(self, live: Live, overflow: Overflow) -> None:
        window, chat_id = live.request.window, live.message.chat_id
        if window is None or live.rounds > _MOST_ROUNDS:
            self._again(live, None)
        elif window.policy is Policy.EXTEND:
            finding = self._extensions.next_context(
                live.model, live.request.options, overflow.context, overflow.tokens
            )
            finding.add_done_callback(lambda found: self._post(lambda: self._extend(live, found)))
        elif chat_id in self._ahead:  # it is being written already
            self._ahead[chat_id].append(
                lambda summary: (
                    self._again(live, summary) if summary else self._summarise(live, overflow.until)
                )
            )
        else:
            self._summarise(live, overflow.until)

    def _summarise(self, live: Live, until: int) -> None:
        live.aside = []
        cancelled = live.job.cancelled
        live.job = self._engine.submit(summary_request(live.request, until, background=False))
        if cancelled:
            self._engine.cancel(live.job)

    def _extend(self, live: Live, finding: "Future[int | None]") -> None:
        context = finding.result() if finding.exception() is None else None
        if context is None:
            self._again(live, None)
            return
        self._store.update_chat(live.message.chat_id, context=context)
        settings = replace(live.request.settings, context=context)
        self._submit(live, replace(live.request, settings=settings))

    def _store_summary(
        self,
        summaries: list[Summary],
        path: Sequence[Message],
        window: Window,
        events: Events,
        done: Callable[[Summary | None], None],
    ) -> None:
        """Store the summary that `events` bring, and call `done` with it, or with None for none."""
        found = summary_of(events)
        if found is None:
            done(None)
            return
        covers, text = found
        known = window.ahead or window.held
        kept = known.kept if known else ""
        text = f"{kept}\n\n{text}" if kept else text

        def stored(storing: "Future[Summary]") -> None:
            summary = storing.result() if storing.exception() is None else None

            def told() -> None:
                if summary is not None:
                    summaries.append(summary)
                done(summary)

            self._post(told)

        last = path[covers.until - 1]
        self._store.summaries.add(last.chat_id, last.id, text, kept).add_done_callback(stored)

    def _again(self, live: Live, summary: Summary | None) -> None:
        """Ask for the answer again, with a new summary, or, without, with the oldest turns left out."""
        window = live.request.window
        if window is None:
            return
        if summary is None:
            window = replace(window, gives_way=True)
        else:
            ahead = window_of(live.started.chat, live.started.path, live.summaries).ahead
            window = replace(window, ahead=ahead)
        self._submit(live, replace(live.request, window=window))

    def _submit(self, live: Live, request: Request) -> None:
        cancelled = live.job.cancelled
        live.aside, live.request = None, request
        live.job = self._engine.submit(request)
        if cancelled:
            self._engine.cancel(live.job)


def summary_of(events: Events) -> tuple[Covers, str] | None:
    """Return the summary that `events`, all of a job, bring, with what it covers; None when there is none."""
    covers = next((event for event in events if isinstance(event, Covers)), None)
    text = "".join(e.text for e in events if isinstance(e, Piece) and not e.reasoning).strip()
    end = events[-1] if events else None
    cancelled = isinstance(end, Finished) and (
        end.stats is None or end.stats.stop_reason is StopReason.CANCELLED
    )
    if covers is None or not text or cancelled or isinstance(end, Failed):
        return None
    return covers, text


def summary_request(
    request: Request, until: int | None, *, background: bool, temperature: float = 0
) -> Request:
    """Return the request for a summary of what `request` cannot hold; see `Summarising.until`."""
    settings = Settings(
        temperature=temperature,
        repeat_penalty=1.1,  # small models fall into loops
        context=request.settings.context,
        max_tokens=request.settings.max_tokens,
        template_variables={**request.settings.template_variables, "enable_thinking": False},
    )
    return replace(
        request,
        settings=settings,
        continues=False,
        chat=request.chat if is_incognito(request.chat) else None,  # it is forgotten with its chat
        background=background,
        summarising=Summarising(until),
    )
