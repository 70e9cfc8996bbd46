"""Names a chat in the background, once its first answer is there."""

import re
from collections.abc import Callable
from concurrent.futures import Future

from app.domain.chat import TITLE_LENGTH, title_from
from app.domain.generation import Finished, Piece, Request, StopReason, Turn
from app.domain.settings import Settings
from app.engine.worker import Engine
from app.services.errands import Errands, Events
from app.services.live import Live
from app.storage.chats import ChatStore

_MOST_TOKENS = 16
_MOST_WORDS = 8
_IDEOGRAPHS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_FRAME = " \t\"'“”‘’«»„「」『』《》*_#`.。!！:：,，;；"
_LABEL = re.compile(r"^\W*(?:title|chat title|标题|題目|タイトル)\s*[:：]\s*", re.IGNORECASE)


class Titles:
    """Asks the model that has just answered for a title; the one from the first message is there already."""

    def __init__(
        self,
        store: ChatStore,
        engine: Engine,
        post: Callable[[Callable[[], None]], None],
        wanted: "Callable[[], Future[bool]]",
    ) -> None:
        """Wire the service.

        Args:
            store: Where titles are kept.
            engine: What makes them up.
            post: Runs a callable on the thread of the conversation.
            wanted: Asks whether the person wants chats to be named.
        """
        self._store, self._engine, self._post, self._wanted = store, engine, post, wanted

    def consider(self, live: Live, errands: Errands) -> None:
        """Name the chat of an answer that is complete, if it is the first one and nobody has named it.

        An incognito chat is in no list, and needs no name.
        """
        path, chat = live.started.path, live.started.chat
        if len(path) != 1 or chat.title != title_from(path[0].text) or chat.incognito:
            return

        def known(wanted: "Future[bool]") -> None:
            if wanted.exception() is None and wanted.result():
                self._post(lambda: self._ask(live, errands))

        self._wanted().add_done_callback(known)

    def _ask(self, live: Live, errands: Errands) -> None:
        status, started = self._engine.status.of(live.model.path), live.started
        if not (status.ready and status.has_template):
            return
        question, answer = started.path[0].text, live.text
        # The conversation itself comes first: the KV cache holds all of it.
        turns = [Turn("user", question), Turn("assistant", answer), Turn("user", instruction(question))]
        if started.chat.system_prompt:
            turns.insert(0, Turn("system", started.chat.system_prompt))
        settings = Settings(
            temperature=0,
            max_tokens=_MOST_TOKENS,
            context=started.reply.settings.context if started.reply.settings else None,
            template_variables={"enable_thinking": False},
        )
        request = Request(live.model.path, tuple(turns), settings, background=True)

        def named(events: Events) -> None:
            title = title_in(events, question)
            if title:
                self._store.name_chat(started.chat.id, title, instead_of=started.chat.title)

        errands.add(self._engine.submit(request), named)


def instruction(question: str) -> str:
    """Return what asks for a title, in a language that leads the model to that of `question`."""
    if _IDEOGRAPHS.search(question):
        return "给这段对话起一个简短的标题。"
    return "Write a short title for this conversation."


def title_in(events: Events, question: str) -> str:
    """Return the title that the model wrote, or an empty text for none that is worth showing.

    Tells titles from what small models write in their place: an answer, a sentence about titles, a loop.
    """
    written = "".join(e.text for e in events if isinstance(e, Piece) and not e.reasoning).strip()
    lines = [line for line in map(str.strip, written.splitlines()) if line and line[-1] not in ":："]
    line = _LABEL.sub("", lines[0]) if lines else ""
    head, colon, _subtitle = line.replace("：", ":").partition(":")
    title = (head if colon and _is_topic(head) else line).strip(_FRAME)
    cut_off = written.endswith(title) and not _ended(events)
    return title if not cut_off and _fits(title, question) else ""


def _ended(events: Events) -> bool:
    end = events[-1]
    return isinstance(end, Finished) and end.stats is not None and end.stats.stop_reason is StopReason.END


def _is_topic(head: str) -> bool:
    """Return whether what stands before a colon can be a title without the rest."""
    return len(head.split()) > 1 or len(_IDEOGRAPHS.findall(head)) > 1


def _fits(title: str, question: str) -> bool:
    if not title or len(title) > TITLE_LENGTH or len(title.split()) > _MOST_WORDS or "\ufffd" in title:
        return False
    if bool(_IDEOGRAPHS.search(title)) != bool(_IDEOGRAPHS.search(question)):
        return False  # another language than the chat's
    return _plain(title) != _plain(question) and bool(_subjects(title) & _subjects(question))


def _subjects(text: str) -> set[str]:
    """Return what a title and a question about the same thing share: beginnings of words, and ideographs."""
    return {word[:4] for word in re.findall(r"\w{3,}", text.casefold())} | set(_IDEOGRAPHS.findall(text))


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().casefold()
