"""Finding what was said: words of messages, in any chat or in one.

Everything returns a Future that the database's threads resolve; nothing here waits for the disk.
"""

from concurrent.futures import Future

from app.domain.search import Found, Query
from app.storage.search import MOST, SearchStore


class Search:
    """The words of all messages on this computer that are not deleted."""

    def __init__(self, store: SearchStore) -> None:
        self._store = store

    def find(self, query: Query, most: int = MOST) -> "Future[Found]":
        """Return the newest messages that have all that `query` asks for, `most` of them.

        A future that nobody waits for any more should be cancelled: then it is not looked for.
        """
        return self._store.find(query, most)

    def prepare(self) -> "Future[int]":
        """Prepare some of the messages that are not yet prepared for searching; return how many are left."""
        return self._store.prepare()

    def models(self) -> "Future[list[str]]":
        """Return the names of the models that have answered, the one that did so last first."""
        return self._store.models()
