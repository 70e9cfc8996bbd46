"""Tears the write-ahead log as a power cut may, and looks at what SQLite makes of it.

    python tests/perf/torn_logs.py [--logs 1000] [--seed 20]

A log with many transactions is cut at a random byte, has a random bit flipped, or a sector zeroed. Opened by
Fireside, the file must then be whole by `integrity_check` and hold exactly what was there after one of the
transactions: a committed prefix. Prints what was found; ends with 1 if anything was wrong.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.domain.changes import Changes
from app.domain.chat import ModelIdentity, Status
from app.domain.settings import Settings
from app.storage import database as database_module
from app.storage.chats import ChatStore
from app.storage.database import Database

_SECTOR = 512
_TURNS, _CHUNKS = 12, 10


def state(db: Any) -> str:
    """Return what there is, in short."""
    rows = [
        db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        for table in ("chats", "messages", "chunks", "digests", "preferences")
    ]
    return sha256(repr(rows).encode()).hexdigest()


def write_log(path: Path) -> tuple[bytes, bytes, list[str]]:
    """Return a database, its log, and what was there after each transaction in that."""
    first = Database(path)
    first.open().result()
    first.close()  # the schema is in the file, and all else in the log
    database = Database(path)
    store = ChatStore(database, Changes(lambda call: call()))
    states = [database.read(state).result()]

    def wait(future: Any) -> Any:
        result = future.result()
        states.append(database.read(state).result())
        return result

    chat = parent = None
    for turn in range(_TURNS):
        asked = f"Question {turn} 问题"
        started = wait(store.start_turn(chat, parent, asked, ModelIdentity("M"), Settings()))
        chat, parent = started.chat.id, started.reply.id
        text = ""
        for number in range(_CHUNKS):
            text += (piece := f"word{number} " * 20)
            wait(store.append_chunk(parent, piece))
        wait(store.finish(parent, text, Status.COMPLETE, None, ""))
        wait(store.update_chat(chat, draft=f"draft {turn}"))
    log = path.with_name(path.name + "-wal")
    content = path.read_bytes(), log.read_bytes(), states
    database.close()
    return content


def tear(log: bytes, chance: random.Random) -> tuple[str, bytes]:
    """Damage a log in one of three ways."""
    at = chance.randrange(len(log))
    match chance.randrange(3):
        case 0:
            return "cut", log[:at]
        case 1:
            return "flipped bit", log[:at] + bytes([log[at] ^ 1 << chance.randrange(8)]) + log[at + 1 :]
        case _:
            start = at - at % _SECTOR
            return "zeroed sector", log[:start] + bytes(len(log[start : start + _SECTOR])) + log[
                start + _SECTOR :
            ]


def run(logs: int, seed: int) -> tuple[Counter[str], list[str], list[int]]:
    """Tear so many logs; return how, what was wrong, and how many transactions were left of each."""
    database_module._CHECKPOINT_SECONDS = 3600  # the log is to stay
    chance, torn, wrong, left = random.Random(seed), Counter[str](), list[str](), list[int]()
    with tempfile.TemporaryDirectory() as folder:
        file, log, states = write_log(Path(folder) / "chats.db")
        for number in range(logs):
            how, damaged = tear(log, chance)
            torn[how] += 1
            home = Path(folder) / "torn"
            home.mkdir()
            (home / "chats.db").write_bytes(file)
            (home / "chats.db-wal").write_bytes(damaged)
            database = Database(home / "chats.db")
            found, problems = database.read(
                lambda db: (state(db), [row[0] for row in db.execute("PRAGMA integrity_check")])
            ).result()
            writable = database.open().result()
            database.close()
            if problems != ["ok"] or not writable or database.is_damaged:
                wrong.append(f"log {number} ({how}): {problems[:2]}, writable: {writable}")
            if found in states:
                left.append(states.index(found))
            else:
                wrong.append(f"log {number} ({how}): no committed prefix")
            shutil.rmtree(home)
    left.append(len(states) - 1)
    return torn, wrong, left


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--logs", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=20)
    given = arguments.parse_args()
    began = time.monotonic()
    torn, wrong, left = run(given.logs, given.seed)
    whole = left.pop()
    for how, count in torn.items():
        print(f"{count:5} logs of {whole} transactions, {how}")
    print(f"{len(left):5} left a committed prefix: {min(left)} to {max(left)} transactions")
    print(f"{len(wrong):5} things wrong, in {time.monotonic() - began:.0f} s")
    for text in wrong[:20]:
        print(f"      {text}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
