"""A process that imports a file and says so when it is done: `importing_process.py DATABASE FILE`."""

import sys
from pathlib import Path

from app.domain.changes import Changes
from app.services.importing import Importing
from app.storage.database import Database
from app.storage.undo import UndoLog
from app.storage.whole_chats import WholeChats


def main() -> None:
    database = Database(Path(sys.argv[1]))
    changes = Changes(lambda call: call())
    store = WholeChats(database, changes, UndoLog(database, changes))
    store.ids().result()
    print("open", flush=True)
    Importing(store).commit([Path(sys.argv[2])]).future.result()
    print("done", flush=True)
    database.close()


if __name__ == "__main__":
    main()
