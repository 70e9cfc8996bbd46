"""What Fireside has asked over the network: in this run as it happens, and before from a small file."""

from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from app.domain.changes import Changed, Changes, Kind
from app.services.threads import Threads
from app.storage.contact_file import ContactFile
from models_registry.hub.contacts import DONE, LED_ON, STOPPED, Contact, ContactLog, Purpose
from models_registry.hub.errors import HubProblem

__all__ = ["DONE", "LED_ON", "STOPPED", "Contact", "Contacts", "Purpose"]

_OUTCOMES = {DONE, LED_ON, STOPPED, *HubProblem}


class Contacts:
    """Keeps the list. `Changed(NETWORK)` is published whenever one begins or ends.

    Attributes:
        log: Where the connections to hubs are noted.
    """

    def __init__(self, file: ContactFile, changes: Changes) -> None:
        """Wire the service; nothing is read yet."""
        self._file, self._changes = file, changes
        self._thread = Threads(1, "contacts")
        self.log = ContactLog(self._tell)

    def known(self) -> tuple[Contact, ...]:
        """Return those of this run, the oldest first; one that goes on has no outcome."""
        return self.log.known()

    def earlier(self) -> "Future[list[Contact]]":
        """Return those of other runs that are still kept, the oldest first."""

        def read() -> list[Contact]:
            here = {(each.began, each.host) for each in self.log.known()}
            found = [contact for entry in self._file.entries() if (contact := _contact(entry)) is not None]
            return [each for each in found if (each.began, each.host) not in here]

        return self._thread.submit(read)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _tell(self, contact: Contact) -> None:
        if contact.outcome:
            self._file.append(entry_of(contact))
        self._changes.publish(Changed(Kind.NETWORK))


def entry_of(contact: Contact) -> dict[str, Any]:
    """Return a contact as JSON types."""
    return {
        "began": contact.began.isoformat(),
        "host": contact.host,
        "purpose": contact.purpose.value,
        "received": contact.received,
        "outcome": str(contact.outcome),
    }


def _contact(entry: dict[str, Any]) -> Contact | None:
    """Return what an entry says; None when it makes no sense."""
    try:
        began = datetime.fromisoformat(entry["began"]).astimezone(UTC)
        contact = Contact(
            str(entry["host"]),
            Purpose(entry["purpose"]),
            began,
            int(entry["received"]),
            str(entry["outcome"]),
        )
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return contact if contact.outcome in _OUTCOMES else None
