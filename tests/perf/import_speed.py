"""How fast chats come in: `import_speed.py [MESSAGES] [KILLS]`, 200,000 and 0 unless told.

Prints, for a file of our own and one of ChatGPT's, messages a second of the preview, of the import, and of
seeing that all of it is here already; the memory it took, and the size of the database by the text. With
KILLS, a process that imports is killed so often at random moments: how often all was there, and how often
nothing.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.domain.changes import Changes
from app.domain.chat import Chat, Message, ModelIdentity, Role
from app.domain.chat_file import to_object
from app.domain.whole_chat import WholeChat
from app.services.importing import Importing
from app.storage.database import Database
from app.storage.undo import UndoLog
from app.storage.whole_chats import WholeChats

PROCESS = Path(__file__).parents[1] / "unit" / "services" / "importing_process.py"
PER_CHAT = 100
ENGLISH = "the model reads a long text and writes about what it has seen in the garden by the river"
CHINESE = "模型读取文本然后回答问题并且记住以前说过的话题内容非常有用"
CODE = "def boil(water):\n    return [drop for drop in water if drop.is_hot]\n"


def said(dice: random.Random) -> str:
    kind = dice.random()
    if kind < 0.2:
        return "".join(dice.choices(CHINESE, k=dice.randint(20, 400)))
    words = " ".join(dice.choices(ENGLISH.split(), k=dice.randint(5, 150)))
    return f"{words}\n```python\n{CODE * dice.randint(1, 4)}```" if kind < 0.35 else words


def chats(messages: int) -> Iterator[WholeChat]:
    dice = random.Random(1)
    model = ModelIdentity("SmolLM2 135M Instruct", "ab" * 32, "/models/smollm2.gguf")
    for number in range(messages // PER_CHAT):
        made = []
        for place in range(1, PER_CHAT + 1):
            role = Role.USER if place % 2 else Role.ASSISTANT
            parent = place - (1 if dice.random() < 0.95 or place < 4 else 3)
            when = 1.6e9 + number * 1000 + place
            author = model if role is Role.ASSISTANT else None
            made.append(Message(place, 1, parent or None, role, said(dice), created_at=when, model=author))
        yield WholeChat(Chat(1, f"Chat {number}", PER_CHAT, created_at=made[0].created_at), tuple(made))


def chatgpt(whole: WholeChat) -> dict:
    mapping = {}
    for each in whole.messages:
        content = {"content_type": "text", "parts": [each.text]}
        author = {"role": str(each.role), "name": None, "metadata": {}}
        message = {"id": f"m{each.id}", "author": author, "create_time": each.created_at, "content": content}
        message |= {"status": "finished_successfully", "weight": 1.0, "metadata": {"model_slug": "gpt-4o"}}
        parent = f"m{each.parent_id}" if each.parent_id else None
        mapping[f"m{each.id}"] = {"id": f"m{each.id}", "message": message, "parent": parent, "children": []}
    return {"title": whole.chat.title, "create_time": whole.chat.created_at, "mapping": mapping}


def timed(what: str, messages: int, work: Callable[[], object]) -> None:
    start = time.perf_counter()
    work()
    spent = time.perf_counter() - start
    print(f"  {what:34} {spent:7.1f} s  {messages / spent:10,.0f} messages/s", flush=True)


def measure(name: str, path: Path, messages: int, folder: Path) -> None:
    print(f"{name}: {path.stat().st_size / 1e6:,.0f} MB, {messages:,} messages")
    database = Database(folder / f"{name}.db")
    changes = Changes(lambda call: call())
    importing = Importing(WholeChats(database, changes, UndoLog(database, changes)))
    timed("preview", messages, lambda: importing.preview([path]).future.result())
    timed("import", messages, lambda: importing.commit([path]).future.result())
    timed("preview, all of it is here", messages, lambda: importing.preview([path]).future.result())
    text = database.read(
        lambda db: db.execute("SELECT sum(length(CAST(text AS BLOB))) FROM messages").fetchone()[0]
    )
    importing.close()
    database.close()
    size = (folder / f"{name}.db").stat().st_size
    print(f"  database {size / 1e6:,.0f} MB, {size / text.result():.2f} x the text")
    print(f"  most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


def kill(path: Path, count: int, kills: int, folder: Path) -> None:
    home, ends = folder / "killed.db", {"all": 0, "nothing": 0}
    dice = random.Random(3)
    for _kill in range(kills):
        with subprocess.Popen(
            [sys.executable, PROCESS, home, path], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(dice.uniform(0, 3))
            process.kill()
        database = Database(home)
        changes = Changes(lambda call: call())
        store = WholeChats(database, changes, UndoLog(database, changes))
        shown = len(store.ids().result())
        assert shown in (0, count), shown
        ends["all" if shown else "nothing"] += 1
        damage = database.read(lambda db: db.execute("PRAGMA integrity_check").fetchone()[0]).result()
        assert damage == "ok", damage
        database.close()
        if shown:
            for each in folder.glob("killed.db*"):
                each.unlink()
    print(f"killed {kills} times: {ends}")


def main() -> None:
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own, foreign = folder / "own.jsonl", folder / "conversations.json"
        with own.open("w", encoding="utf-8") as ours, foreign.open("w", encoding="utf-8") as theirs:
            theirs.write("[")
            for place, whole in enumerate(chats(messages)):
                ours.write(json.dumps(to_object(whole), ensure_ascii=False) + "\n")
                theirs.write((", " if place else "") + json.dumps(chatgpt(whole)))
            theirs.write("]")
        measure("fireside", own, messages, folder)
        measure("chatgpt", foreign, messages, folder)
        if kills:
            kill(own, messages // PER_CHAT, kills, folder)


if __name__ == "__main__":
    main()
