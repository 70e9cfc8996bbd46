"""What the sections of the settings work with."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

import shiboken6
from PySide6.QtWidgets import QWidget

from app.domain.errors import UserError
from app.services.adoption import Adoption
from app.services.backups import Backups
from app.services.keeping import Keeping
from app.services.network import Network
from app.services.preferences import Preferences
from app.services.snapshots import Snapshots
from app.ui.appearance import Appearance
from app.ui.post import Poster
from app.ui.window_memory import WindowMemory

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SettingsDesk:
    """The services behind the settings; it outlives the sheet that shows them."""

    poster: Poster
    appearance: Appearance
    memory: WindowMemory
    preferences: Preferences
    network: Network
    adoption: Adoption
    snapshots: Snapshots
    keeping: Keeping
    backups: Backups

    def when(
        self,
        widget: QWidget,
        future: "Future[T]",
        take: Callable[[T], None],
        fail: Callable[[UserError], None] | None = None,
    ) -> None:
        """Hand what `future` brings to `widget`'s functions, if it is still there.

        What was refused after it has gone is told as a notice.
        """

        def came(result: T) -> None:
            if shiboken6.isValid(widget):
                take(result)

        def failed(error: UserError) -> None:
            if fail is not None and shiboken6.isValid(widget):
                fail(error)
            else:
                self.poster.report(error)

        self.poster.when_done(future, came, failed)
