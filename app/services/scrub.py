"""Every message is compared with its sha256 once a week, a little at a time, while nothing is answered."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from app.domain.changes import Changed, Changes, Kind
from app.domain.errors import UserError
from app.domain.language import _
from app.storage import digests, mending
from app.storage.database import Database
from app.storage.preferences import PreferenceStore

_FIRST_SECONDS, _SECONDS = 60.0, 2.0  # after the start, and between two looks
_WEEK = 7 * 24 * 60 * 60.0
_REMEMBERED = 30  # looks after which the place is written down
_PLACE = "scrub"


class Scrub:
    """Looks at the messages one after the other, from where it was when Fireside was closed.

    A message that is not what was said gets its words back from a backup that has them; either way a sentence
    says so. It stays in its chat as it is until then.
    """

    def __init__(
        self,
        database: Database,
        kept: PreferenceStore,
        changes: Changes,
        is_busy: Callable[[], bool],
        report: Callable[[UserError], None],
    ) -> None:
        """Wire the service. `is_busy` says whether an answer is on its way; `report` shows what was found."""
        self._database, self._kept, self._changes = database, kept, changes
        self._is_busy, self._report = is_busy, report
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scrub", daemon=True)

    def begin(self) -> None:
        """Begin, a while after the start."""
        self._thread.start()

    def close(self) -> None:
        """End; the next start goes on from here."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def look_through(self, pause: float = 0.0) -> None:
        """Look at all messages that have not been looked at for a week, with pauses of so many seconds."""
        place = self._kept.get(_PLACE).result() or {}
        after, done_at = int(place.get("after", 0)), float(place.get("done_at", 0))
        if not after and abs(time.time() - done_at) < _WEEK:  # also where the clock was set back
            return
        looks = 0
        while not self._ended.wait(pause):
            if self._is_busy():
                continue
            found = self._database.read(partial(digests.look, after=after)).result()
            for message_id in found.wrong:
                self._mend(message_id)
            if found.last is None:
                self._remember({"done_at": time.time()})
                return
            after, looks = found.last, looks + 1
            if looks % _REMEMBERED == 0:
                self._remember({"after": after, "done_at": done_at})
        self._remember({"after": after, "done_at": done_at})

    def _run(self) -> None:
        pause = _FIRST_SECONDS
        while not self._ended.wait(pause):
            pause = _FIRST_SECONDS * 60
            try:
                if self._database.open().result():
                    self.look_through(_SECONDS)
            except UserError:
                continue  # told by whoever else wants to read or write
            except RuntimeError:  # closed
                return

    def _remember(self, place: dict[str, float]) -> None:
        self._kept.set(_PLACE, place).result()

    def _mend(self, message_id: int) -> None:
        if not self._database.write(lambda db: digests.mark(db, message_id)).result():
            return
        title, expected = self._database.read(lambda db: _of(db, message_id)).result()
        words = mending.find_words(self._database.path, message_id, expected)
        if (
            words is not None
            and self._database.write(
                lambda db: mending.put_back(db, message_id, words), durable=True
            ).result()
        ):
            self._changes.publish(Changed(Kind.MESSAGES, (message_id,)))
            made_at = datetime.fromtimestamp(words.backup.made_at).strftime("%Y-%m-%d %H:%M")
            text = _("A message in “{chat}” had changed on the disk. Fireside brought its text back.")
            self._report(
                UserError(
                    text.format(chat=title or _("New chat")),
                    _(
                        "It was in the backup of {date}. Such a change may mean that the disk is failing."
                    ).format(date=made_at),
                )
            )
            return
        text = _("A message in “{chat}” has changed on the disk, and no backup has it as it was.")
        self._report(
            UserError(
                text.format(chat=title or _("New chat")),
                _("It stays as it is. Such a change may mean that the disk is failing."),
            )
        )


def _of(db: Any, message_id: int) -> tuple[str, bytes]:
    sql = (
        "SELECT title, sha256 FROM digests JOIN messages ON messages.id = message_id"
        " JOIN chats ON chats.id = chat_id WHERE message_id = ?"
    )
    title, expected = db.execute(sql, [message_id]).fetchone()
    return str(title), bytes(expected)
