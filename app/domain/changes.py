"""Facts on their way up: what has changed, published once after each commit."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What kind of thing has changed."""

    CHATS = "chats"  # ids: chats whose row (title, tip, draft, …) was added, changed or removed
    MESSAGES = "messages"  # ids: messages that were added or changed
    TREES = "trees"  # ids: chats of which messages were deleted or brought back: read them anew
    FOLDERS = "folders"  # ids: folders that were added, renamed or removed
    DAMAGE = "damage"  # ids: none; the file of the chats turned out to be damaged, and can be restored or not
    RESTORED = "restored"  # ids: none; a backup has taken the place of everything
    UNDO = "undo"  # ids: none; what can be undone, or redone, is another step now
    SUMMARIES = "summaries"  # ids: chats in which a summary was written or edited
    MODELS = "models"  # ids: none; the list of models on this computer
    DOWNLOADS = "downloads"  # ids: downloads that were added, changed or removed
    NETWORK = "network"  # ids: none; a connection was begun or has ended
    ENGINE = "engine"  # ids: none; which model is loaded, or how far loading has come


@dataclass(frozen=True, slots=True)
class Changed:
    """One committed change: `kind`, and the row ids it touched (`ids` empty means any)."""

    kind: Kind
    ids: tuple[int, ...] = ()


class Changes:
    """Tells every subscriber of each change, in the order of subscription.

    `publish` may be called from any thread; `post` decides on which thread the subscribers run
    (the GUI's in the window, the caller's own in a terminal).
    """

    def __init__(self, post: Callable[[Callable[[], None]], None]) -> None:
        self._post = post
        self._subscribers: list[Callable[[Changed], None]] = []

    def subscribe(self, subscriber: Callable[[Changed], None]) -> None:
        """Call `subscriber` with every change from now on."""
        self._subscribers.append(subscriber)

    def publish(self, change: Changed) -> None:
        """Hand `change` to every subscriber."""
        self._post(lambda: self._tell(change))

    def _tell(self, change: Changed) -> None:
        for subscriber in self._subscribers:
            subscriber(change)
