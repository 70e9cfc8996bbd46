"""What was deleted and is not gone yet."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def moment(db: "Database") -> float:
    """Return the time of a deletion, in seconds since the epoch.

    It is never before what the database has seen already: else a clock that was set back, and then right
    again, would have what is deleted in between look as if it had been so for years.
    """
    (seen,) = db.execute(
        "SELECT max(coalesce((SELECT max(updated_at) FROM chats), 0),"
        " coalesce((SELECT max(deleted_at) FROM chats), 0),"
        " coalesce((SELECT max(deleted_at) FROM messages WHERE deleted_at IS NOT NULL), 0))"
    ).fetchone()
    return max(time.time(), float(seen))
