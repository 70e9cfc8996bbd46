"""The clock that brings answers to the window: it ticks only while one is on its way."""

from PySide6.QtCore import QObject, QTimer, Signal

from app.services.conversation import Conversation, Live, Phase

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
        conversation.on_started = self._started

    @property
    def running(self) -> bool:
        """Return whether the clock ticks."""
        return self._timer.isActive()

    def retry_save(self) -> None:
        """Store once more what the disk would not take."""
        self._conversation.retry_save()
        self._timer.start()

    def _started(self, live: Live) -> None:
        self._timer.start()
        self._tell()

    def _tick(self) -> None:
        for update in self._conversation.pump():
            self.updated.emit(update)
        self._tell()
        if all(live.phase is Phase.UNSAVED for live in self._conversation.live.values()):
            self._timer.stop()

    def _tell(self) -> None:
        running = {chat for chat, live in self._conversation.live.items() if live.phase is Phase.RUNNING}
        if running != self._known:
            self._known = running
            self.lives_changed.emit()
