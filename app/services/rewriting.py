"""A summary that the model writes once more, of the same messages, in the place of the one there is."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from app.domain.budget import Summary
from app.domain.chat import Chat, Message
from app.domain.errors import UserError
from app.domain.generation import Failed, Request, Standing
from app.domain.language import _
from app.domain.settings import Settings
from app.engine.worker import Engine
from app.services.errands import Errands, Events
from app.services.making_room import summary_of, summary_request
from app.services.windows import Writer, request_for, window_of
from app.storage.chats import ChatStore

_TEMPERATURE = 0.6  # or the same words would come again

Read = tuple[Chat, list[Message], list[Summary]]


class Rewriting:
    """Has summaries written anew. Lives on the thread of the conversation."""

    def __init__(
        self, store: ChatStore, engine: Engine, post: Callable[[Callable[[], None]], None], errands: Errands
    ) -> None:
        """Wire the service; see `MakingRoom`."""
        self._store, self._engine, self._post, self._errands = store, engine, post, errands

    def anew(self, summary: Summary, tip_id: int, settings: Settings, writer: Writer) -> "Future[None]":
        """Have `writer` write `summary` once more; the words of a person in this one are gone then.

        The future fails with a UserError when no other summary came; the old one stays then.

        Args:
            summary: One of the chat.
            tip_id: The last message of the version of the chat that is shown; what is summarised lies before.
            settings: Those that the writer answers with.
            writer: What writes.
        """
        done: Future[None] = Future()

        def read(reading: "Future[Read]") -> None:
            if (error := reading.exception()) is not None:
                done.set_exception(error)
            else:
                self._post(lambda: self._begin(summary, reading.result(), settings, writer, done))

        self._store.summarised_path(summary.chat_id, tip_id).add_done_callback(read)
        return done

    def _begin(
        self, summary: Summary, read: Read, settings: Settings, writer: Writer, done: "Future[None]"
    ) -> None:
        chat, path, summaries = read
        places = {message.id: number for number, message in enumerate(path)}
        until = places.get(summary.until_id, -1) + 1
        earlier = [each for each in summaries if places.get(each.until_id, until) < until - 1]
        known = window_of(replace(chat, policy=None), path, earlier)
        window = replace(known, since=0, held=None)
        request = request_for(chat, path, [], settings, writer)
        self._write(summary, replace(request, window=window), until, done)

    def _write(self, summary: Summary, request: Request, until: int, done: "Future[None]") -> None:
        """Ask for the next part: what does not fit into one prompt is summarised part by part."""

        def written(events: Events) -> None:
            found, end, window = summary_of(events), events[-1], request.window
            if isinstance(end, Failed):
                done.set_exception(end.error)
                return
            if found is None or window is None:
                done.set_exception(UserError(_("The model has written no other summary; the old one stays.")))
                return
            covers, text = found
            kept = window.ahead.kept if window.ahead else ""
            text = f"{kept}\n\n{text}" if kept else text
            if covers.until < until:
                window = replace(window, ahead=Standing(covers.until, text, kept))
                self._write(summary, replace(request, window=window), until, done)
                return
            storing = self._store.summaries.edit(summary, text, kept)
            storing.add_done_callback(lambda stored: _end(stored, done))

        asked = summary_request(request, until, background=False, temperature=_TEMPERATURE)
        self._errands.add(self._engine.submit(asked), written)


def _end(stored: "Future[None]", done: "Future[None]") -> None:
    if (error := stored.exception()) is not None:
        done.set_exception(error)
    else:
        done.set_result(None)
