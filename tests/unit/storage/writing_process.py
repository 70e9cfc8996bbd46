"""A process that holds turns and says what is safe: `writing_process.py DATABASE TURNS [hold]`.

With TURNS below 0 it goes on for ever; with "hold" it stops in the middle of a turn, still alive.
Each line it prints is about something whose future has resolved: "turn ID", "chunk N", "finished ID".
"""

import itertools
import sys
from pathlib import Path

from app.domain.changes import Changes
from app.domain.chat import ModelIdentity, Status
from app.domain.settings import Settings
from app.storage.chats import ChatStore
from app.storage.database import Database

CHUNKS = 400


def chunk(number: int) -> str:
    return f"word{number} "


def text(count: int) -> str:
    return "".join(map(chunk, range(count)))


def thought(number: int) -> str:
    return f"thought{number} "


def thoughts(count: int) -> str:
    return "".join(map(thought, range(count)))


def main() -> None:
    database = Database(Path(sys.argv[1]))
    store = ChatStore(database, Changes(lambda call: call()))
    store.recover().result()
    print("open", flush=True)
    chats = store.chats().result()
    chat_id = chats[0].id if chats else None
    parent_id = chats[0].tip_id if chats else None
    turns = int(sys.argv[2])
    for number in itertools.count() if turns < 0 else range(turns):
        question = f"Question {number}"
        started = store.start_turn(chat_id, parent_id, question, ModelIdentity("m"), Settings()).result()
        chat_id, parent_id = started.chat.id, started.reply.id
        print("turn", parent_id, flush=True)
        for i in range(CHUNKS):
            more = {"reasoning": thought(i), "reasoning_seconds": i / 10}
            store.append_chunk(parent_id, chunk(i), **more).result()
            print("chunk", i, flush=True)
            if sys.argv[3:] == ["hold"] and i == CHUNKS // 2:
                sys.stdin.read()
        more = {"reasoning": thoughts(CHUNKS), "reasoning_seconds": CHUNKS / 10}
        store.finish(parent_id, text(CHUNKS), Status.COMPLETE, None, "", **more).result()
        print("finished", parent_id, flush=True)
    database.close()


if __name__ == "__main__":
    main()
