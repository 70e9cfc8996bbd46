"""What a process does to the chats until `sudden_ends.py` kills it; it tells what it has been promised."""

import json
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from app.domain.backup import Reason
from app.domain.changes import Changes
from app.domain.chat import ModelIdentity, Status
from app.domain.errors import UserError
from app.domain.settings import Settings
from app.services.importing import Importing
from app.storage import backups, restoring
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.whole_chats import WholeChats

MODEL = ModelIdentity("Model", "ab" * 32, "/models/model.gguf")
IMPORTED = 40
Tell = Callable[..., None]


class Open:
    """The database and what works on it."""

    def __init__(self, path: Path) -> None:
        changes = Changes(lambda call: call())
        self.database = Database(path)
        self.store = ChatStore(self.database, changes)
        self.whole = WholeChats(self.database, changes, self.store.undo)

    def say(self, chance: random.Random, tell: Tell, chat: int | None, parent: int | None) -> tuple[int, int]:
        """Have one turn, pieces and all."""
        started = self.store.start_turn(
            chat, parent, f"Question {chance.random()}", MODEL, Settings()
        ).result()
        asked, reply = started.path[-1], started.reply.id
        tell("finished", id=asked.id, text=asked.text, chat=started.chat.id)
        text = ""
        for number in range(chance.randrange(4, 60)):
            piece = f"word{number} 词 "
            text += piece
            storing = self.store.append_chunk(reply, piece)
            tell("shown", id=reply, length=len(text), at=time.monotonic(), text=text)
            if chance.random() < 0.3:
                storing.result()
                time.sleep(chance.uniform(0, 0.004))
        self.store.finish(reply, text, Status.COMPLETE, None, "").result()
        tell("finished", id=reply, text=text, chat=started.chat.id)
        return started.chat.id, reply


# What the process does until it is killed.


def stream(opened: Open, chance: random.Random, tell: Tell) -> None:
    chat, parent = None, None
    while True:
        if chat is not None:
            draft = f"draft {chance.random()}"
            tell("drafting", chat=chat, text=draft)
            opened.store.update_chat(chat, draft=draft).result()
            tell("drafted", chat=chat, text=draft)
            tell("drafting", chat=chat, text="")  # which sending empties
        chat, parent = opened.say(chance, tell, chat, parent)
        tell("drafted", chat=chat, text="")
        if chance.random() < 0.2:
            chat, parent = None, None


def edit(opened: Open, chance: random.Random, tell: Tell) -> None:
    chat, reply = opened.say(chance, tell, None, None)
    while True:
        done: list[Any] = [
            partial(opened.store.update_chat, chat, title=f"Title {chance.random()}"),
            partial(opened.store.pin_message, reply, chance.random() < 0.5),
            opened.store.undo.undo,
            opened.store.undo.redo,
            partial(opened.store.trees.branch, reply),
        ]
        for what in chance.sample(done, 3):
            try:
                what().result()
            except UserError:
                continue  # undone meanwhile
        if chance.random() < 0.4:
            try:
                opened.say(chance, tell, chat, None)  # another version of the first message
            except UserError:  # the chat itself was undone
                chat, reply = opened.say(chance, tell, None, None)


def delete(opened: Open, chance: random.Random, tell: Tell) -> None:
    while True:
        chats = [opened.say(chance, tell, None, None) for _each in range(3)]
        opened.store.trees.delete_message(chats[0][1]).result()
        opened.store.trees.restore([chats[0][1]]).result()
        gone = chats[1][0]
        tell("erasing", chat=gone)
        opened.store.delete_chat(gone).result()
        opened.store.trash.erase([gone], []).result()
        tell("erased", chat=gone)


def back_up(opened: Open, chance: random.Random, tell: Tell) -> None:
    chat, parent = None, None
    while True:
        chat, parent = opened.say(chance, tell, chat, parent)
        made = backups.make_backup(opened.database.path, Reason.DAILY)
        tell("backed-up", name=made.path.name)


def restore(opened: Open, chance: random.Random, tell: Tell) -> None:
    while True:
        opened.say(chance, tell, None, None)
        made = backups.make_backup(opened.database.path, Reason.DAILY)
        tell("backed-up", name=made.path.name)
        opened.say(chance, tell, None, None)
        if chance.random() < 0.3:
            opened.database.note_damage()
        tell("restoring", name=made.path.name)
        restoring.restore(opened.database, made)
        tell("restored", name=made.path.name)


def import_chats(opened: Open, chance: random.Random, tell: Tell) -> None:
    path = opened.database.path.with_name("import.jsonl")
    importing = Importing(opened.whole)
    while True:
        mark = f"import {chance.random()}"
        with path.open("w") as file:
            for number in range(IMPORTED):
                messages = [
                    {"id": 1, "parent": None, "role": "user", "text": f"{mark} {number}", "created_at": 1.0},
                    {"id": 2, "parent": 1, "role": "assistant", "text": "Yes. " * 200, "created_at": 2.0},
                ]
                chat = {
                    "format": "fireside-chat",
                    "version": 1,
                    "title": mark,
                    "tip": 2,
                    "messages": messages,
                }
                file.write(json.dumps(chat) + "\n")
        tell("importing", title=mark)
        importing.commit([path]).future.result()
        tell("imported", title=mark)


WORK = {
    "streaming": stream,
    "editing": edit,
    "deleting": delete,
    "backing up": back_up,
    "restoring": restore,
    "importing": import_chats,
}
