"""Questions that were sent before there was a model: they wait, in sight, until there is one."""

from collections.abc import Callable

from app.domain.chat import Message, Role, Status
from app.domain.download import Download, State
from app.domain.errors import UserError
from app.domain.language import _
from app.ui.composer import Composer
from app.ui.current_chat import CurrentChat
from app.ui.downloads.desk import DownloadDesk
from app.ui.drafts import Drafts
from app.ui.model_offers import ModelOffers

QUESTION, ANSWER = -2, -1
"""Ids of what stands in the transcript meanwhile: no message that is stored has such a one."""


class HeldQuestions:
    """One question for each chat at most.

    On the disk it is the beginning of the chat's draft, so that the next start has it in the composer.
    """

    def __init__(
        self, chat: CurrentChat, composer: Composer, drafts: Drafts, show: Callable[[], None]
    ) -> None:
        """Begin with none; `show` is called when another one waits in the current chat, or none any more."""
        self._chat, self._composer, self._drafts, self._show = chat, composer, drafts, show
        self._texts: dict[int | None, str] = {}

    @property
    def text(self) -> str:
        """Return what waits in the current chat; empty when nothing does."""
        return self._texts.get(self._chat.id, "")

    def messages(self) -> list[Message]:
        """Return what the transcript shows for it: the words, and an answer that has not begun."""
        if not self.text:
            return []
        chat = self._chat.id or 0
        return [
            Message(QUESTION, chat, self._chat.state.tip, Role.USER, self.text),
            Message(ANSWER, chat, QUESTION, Role.ASSISTANT, "", Status.WRITING),
        ]

    def hold(self, text: str) -> None:
        """Keep what was sent; it leaves the composer."""
        self._texts[self._chat.id] = text
        self._drafts.hold(self._chat.id, text)
        self._composer.clear_sent(text)
        self._show()

    def take_back(self) -> str:
        """Return what waited, which stands in the composer again, before what was written there since."""
        text = self.text
        if text:
            self._composer.set_draft("\n\n".join(filter(None, (text, self._composer.unsent))))
            self._drafts.save(self._chat.id, self._composer.unsent)
            self._drafts.hold(self._chat.id, "")
            del self._texts[self._chat.id]
            self._show()
        return text


class Arrivals:
    """The model that is on its way to this computer, if one is."""

    def __init__(self, downloads: DownloadDesk, offers: ModelOffers) -> None:
        self._downloads, self._offers = downloads, offers
        self._awaited: set[int] = set()
        self._asked = False

    @property
    def expected(self) -> bool:
        """Return whether a model has been asked for, and is not there yet."""
        return bool(self._offers.offers().asked) or self._coming() is not None

    def words(self) -> str:
        """Return how far it is."""
        coming = self._coming()
        if coming is None:
            asked = self._offers.offers().asked
            return _("Asking the hub…") if asked else _("Your message will be sent once there is a model.")
        if coming.state is State.PAUSED:
            return _("Waiting for {model}, whose download is paused.").format(model=coming.name)
        percent = int(100 * self._downloads.progress(coming).done / max(coming.size, 1))
        return _("Waiting for {model}… {percent} %").format(model=coming.name, percent=percent)

    def failure(self) -> UserError | None:
        """Return why what was expected at the last call does not come; None unless that is new."""
        awaited, asked = self._awaited, self._asked
        self._awaited = {each.id for each in self._downloads.known if each.state is State.WAITING}
        self._asked = bool(self._offers.offers().asked)
        if self.expected:
            return None
        for each in self._downloads.known:
            if each.id in awaited and each.state is State.FAILED:
                return UserError(each.problem, each.hint, "choose-model")
        problem = next(iter(self._offers.offers().problems.values()), "")
        return UserError(problem, "", "choose-model") if asked and problem else None

    def _coming(self) -> Download | None:
        """Return the one that comes first: what is being fetched, else what waits, else what is paused."""
        states = (State.WAITING, State.PAUSED)
        there = [each for each in self._downloads.known if each.state in states]
        there.sort(key=lambda each: (not self._downloads.progress(each).running, states.index(each.state)))
        return next(iter(there), None)
