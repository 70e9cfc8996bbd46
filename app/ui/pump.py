"""The clock that brings answers to the window: it ticks only while the engine is at something."""

from PySide6.QtCore import QObject, QTimer, Signal

from app.services.conversation import Conversation
from app.services.live import Phase

_TICK_MS = 33


class Pump(QObject):
    """Drains the conversation about 30 times a second.

    Signals:
        updated: An Update of one answer.
        lives_changed: An answer has begun, or has ended and is stored.
    """

    updated = Signal(object)
    lives_changed = Signal()

    def __init__(self, conversation: Conversation, parent: QObject) -> None:
        super().__init__(parent)
        self._conversation = conversation
        self._known: set[int] = set()
        self._timer = QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self._tick)
        conversation.on_busy = self._begin

    @property
    def running(self) -> bool:
        """Return whether the clock ticks."""
        return self._timer.isActive()

    def retry_save(self) -> None:
        """Store once more what the disk would not take."""
        self._conversation.retry_save()
        self._timer.start()

    def _begin(self) -> None:
        if not self._timer.isActive():
            self._timer.start()
        self._tell()

    def _tick(self) -> None:
        for update in self._conversation.pump():
            self.updated.emit(update)
        self._tell()
        if not self._conversation.busy:
            self._timer.stop()

    def _tell(self) -> None:
        lives = self._conversation.live.items()
        running = {message_id for message_id, live in lives if live.phase is Phase.RUNNING}
        if running != self._known:
            self._known = running
            self.lives_changed.emit()
