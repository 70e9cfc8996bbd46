"""What the next message of a chat would send to its model, counted while a person types."""

from collections.abc import Callable
from concurrent.futures import Future

from app.domain.budget import Budget, room_to_answer
from app.domain.chat import Chat, Message
from app.domain.loading import Adapter, LoadOptions
from app.domain.model import Model
from app.domain.settings import Settings
from app.engine.worker import Engine
from app.services.errands import Errands
from app.storage.chats import ChatStore

_BYTES_A_TOKEN = 4  # of English text; an estimate is marked as one
_USUAL_CONTEXT = 4096


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
    ) -> None:
        """Wire the service.

        Args:
            store: Where the chats are.
            engine: What counts.
            post: Runs a callable on the thread of this service.
            errands: Those of the conversation, whose `pump` brings what was counted.
        """
        self._store, self._engine, self._post, self._errands = store, engine, post, errands

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
        The future resolves on the thread of the conversation while that is pumped; it is cancelled when a
        newer question takes its place.
        """
        found: Future[Budget] = Future()
        if chat_id is None:
            chat = Chat(0, system_prompt=system_prompt)
            self._post(lambda: self._estimate(chat, [], draft, settings, found))
            return found

        def read(reading: "Future[tuple[Chat, list[Message]]]") -> None:
            if (error := reading.exception()) is not None:
                found.set_exception(error)
            else:
                self._post(lambda: self._estimate(*reading.result(), draft, settings, found))

        self._store.path(chat_id, tip_id).add_done_callback(read)
        return found

    def _estimate(
        self, chat: Chat, path: list[Message], draft: str, settings: Settings, found: "Future[Budget]"
    ) -> None:
        context = settings.context or self._engine.status.context or _USUAL_CONTEXT
        found.set_result(
            Budget(
                context,
                exact=False,
                policy=chat.policy,
                system=_guess(chat.system_prompt),
                pinned=sum(_guess(message.text) for message in path if message.pinned),
                turns=sum(_guess(message.text) for message in path if not message.pinned),
                draft=_guess(draft),
                room=room_to_answer(context, settings.max_tokens),
                seen=tuple(message.id for message in path),
            )
        )


def _guess(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_A_TOKEN)
