"""What a model read before an answer, exactly."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from app.domain.budget import Summary
from app.domain.chat import Chat, Message
from app.domain.errors import UserError
from app.domain.generation import Failed, Rendered, Request
from app.domain.language import _
from app.domain.settings import Settings
from app.engine.worker import Engine
from app.services.errands import Errands, Events
from app.services.windows import turns_of, window_of
from app.storage.chats import ChatStore


class ExactPrompts:
    """Lives on the thread of the conversation."""

    def __init__(
        self,
        store: ChatStore,
        engine: Engine,
        post: Callable[[Callable[[], None]], None],
        errands: Errands,
    ) -> None:
        """Wire the service.

        Args:
            store: Where the chats are.
            engine: What lays them out.
            post: Runs a callable on the thread of the conversation.
            errands: Those of the conversation.
        """
        self._store, self._engine, self._post, self._errands = store, engine, post, errands

    def of(self, answer: Message) -> "Future[Rendered]":
        """Return what the model of `answer` read before it.

        Fails with a UserError when a part of that was deleted since.
        """
        asked: Future[Rendered] = Future()

        def read(reading: "Future[tuple[Chat, list[Message], list[Summary]]]") -> None:
            if (error := reading.exception() or self._incomplete(missing)) is not None:
                asked.set_exception(error)
            else:
                self._post(lambda: self._render(answer, *reading.result(), asked))

        missing = self._store.trees.is_missing(answer)  # done before what is read after it
        self._store.summarised_path(answer.chat_id, answer.parent_id).add_done_callback(read)
        return asked

    def _incomplete(self, missing: "Future[bool]") -> BaseException | None:
        if missing.exception() is None and missing.result():
            return UserError(
                _("Something that the model read before this answer was deleted since."),
                _("Bring it back to see all of it."),
            )
        return missing.exception()

    def _render(
        self,
        answer: Message,
        chat: Chat,
        path: list[Message],
        summaries: list[Summary],
        asked: "Future[Rendered]",
    ) -> None:
        model = Path(answer.model.path if answer.model else chat.model_path)
        request = Request(
            model,
            turns_of(chat, path),
            answer.settings or Settings(),
            chat=answer.chat_id,
            window=window_of(replace(chat, policy=None), [*path, answer], summaries)
            if answer.seen_from is not None
            else None,
        )

        def rendered(events: Events) -> None:
            found = next((event for event in events if isinstance(event, Rendered)), None)
            if found is not None:
                asked.set_result(found)
            elif isinstance(events[-1], Failed):
                asked.set_exception(events[-1].error)
            else:
                asked.cancel()

        self._errands.add(self._engine.prompt(request), rendered)
