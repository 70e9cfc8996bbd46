"""One database for each schema there ever was, as SQL text: `frozen/m0001_chats.sql` and so on.

Run as a program, it writes those that are missing. One that was released never changes.
"""

import sys
from pathlib import Path
from typing import Any

import pysqlite3
import sqlite_utils

from app.storage import digests
from app.storage.migrations import STEPS, migrations

FOLDER = Path(__file__).with_name("frozen")

# What a person may have had, in the columns of all schemas; an old one has fewer.
ROWS: dict[str, list[dict[str, Any]]] = {
    "folders": [{"id": 1, "created_at": 5.0, "name": "Work 工作"}],
    "chats": [
        {"id": 1, "pinned": 1, "created_at": 10.5, "updated_at": 20.25, "title": "A tale 故事",
         "model_path": "/models/a.gguf", "system_prompt": "Be kind.", "draft": "unsent\nlines",
         "policy": "summarise", "context": 8192, "folder_id": 1, "archived": 1},
        {"id": 2, "created_at": 30.0, "updated_at": 31.0, "deleted_at": 32.0, "title": "Gone"},
        {"id": 3, "created_at": 40.0, "updated_at": 41.0},
    ],
    "messages": [
        {"id": 1, "chat_id": 1, "role": "user", "status": "complete", "created_at": 11.0, "pinned": 1,
         "text": "Tell me “a tale” 讲个故事 \U0001f98a\n\ttab, 'quote', \\ and %"},
        {"id": 2, "chat_id": 1, "parent_id": 1, "role": "assistant", "status": "complete", "created_at": 12.0,
         "model_name": "A", "model_sha256": "ab" * 32, "model_path": "/models/a.gguf",
         "settings": '{"temperature": 0.5, "seed": 7}',
         "stats": '{"stop_reason": "end", "prompt_tokens": 40, "reused_tokens": 2, "generated_tokens": 9,'
                  ' "prefill_seconds": 0.5, "decode_seconds": 1.5, "first_token_seconds": 0.6, "seed": 7,'
                  ' "context": 4096}',
         "text": "Once\n```python\nprint('x')\n```", "reasoning": "Hm, 嗯.", "reasoning_seconds": 1.5,
         "seen_from": 1, "summary_id": 1},
        {"id": 3, "chat_id": 1, "parent_id": 1, "role": "assistant", "status": "failed", "created_at": 13.0,
         "error": "It could not be.", "deleted_at": 14.0},
        {"id": 4, "chat_id": 2, "role": "user", "status": "complete", "created_at": 30.5, "text": ""},
        {"id": 5, "chat_id": 3, "role": "user", "status": "complete", "created_at": 40.5,
         "text": "long " * 900},
        {"id": 6, "chat_id": 3, "parent_id": 5, "role": "assistant", "status": "writing", "created_at": 40.6,
         "writer": "1:1.00", "model_name": "A", "model_sha256": "", "model_path": "/models/a.gguf"},
    ],
    "chunks": [{"message_id": 6, "number": 1, "text": "so "}, {"message_id": 6, "number": 2, "text": "far"}],
    "preferences": [{"key": "open_chat", "value": "1"}, {"key": "language", "value": '"zh_CN"'}],
    "probabilities": [{"id": 1, "message_id": 2, "tokens": "[]"}],
    "downloads": [
        {"id": 1, "position": 1, "created_at": 50.0, "state": "waiting", "repository": "a/b",
         "commit_id": "c", "name": "B", "parts": '[{"path": "b.gguf", "size": 1, "sha256": ""}]'}
    ],
    "model_uses": [
        {"model": "ab" * 32, "used_at": 12.0, "written": 8.0, "writing_seconds": 1.5, "read": 38.0,
         "reading_seconds": 0.5}
    ],
    "summaries": [{"id": 1, "chat_id": 1, "until_id": 1, "created_at": 15.0, "kept": "In",
                   "text": "In short"}],
    "chat_tags": [{"chat_id": 1, "name": "fox"}, {"chat_id": 1, "name": "狐狸"}],
}  # fmt: skip


def write_missing() -> list[Path]:
    """Write the files of the steps that have none; return them."""
    FOLDER.mkdir(exist_ok=True)
    written = []
    for number, step in enumerate(STEPS):
        path = FOLDER / f"{step.__name__}.sql"
        if not path.exists():
            path.write_bytes(_as_sql(number).encode())
            written.append(path)
    return written


def load(step: str, path: Path) -> None:
    """Make a database as it was after a step."""
    connection = pysqlite3.connect(path)
    connection.executescript((FOLDER / f"{step}.sql").read_text(encoding="utf-8"))
    connection.close()


def _as_sql(number: int) -> str:
    db = sqlite_utils.Database(pysqlite3.connect(":memory:"))
    later = STEPS[number + 1].__name__ if number + 1 < len(STEPS) else None
    migrations.apply(db, stop_before=later)
    db.execute("UPDATE _sqlite_migrations SET applied_at = '2026-11-24 00:00:00'")
    made = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    virtual = {name for _kind, name, sql in made if sql.startswith("CREATE VIRTUAL")}
    shadows = {name for _kind, name, _sql in made if any(name.startswith(f"{each}_") for each in virtual)}
    shadows -= {"search_queue"} | {name for kind, name, _sql in made if kind == "trigger"}
    kept = [row for row in made if row[1] not in shadows]
    if "digests" in db.table_names():
        digests.follow(db)
    for _kind, name, _sql in kept:
        for row in ROWS.get(name, ()) if _kind == "table" else ():
            columns = {each: value for each, value in row.items() if each in db.table(name).columns_dict}
            db.table(name).insert(columns)
    db.execute("UPDATE chats SET tip_message_id = 2 WHERE id = 1")  # known after its message
    lines = [f"{sql};" for kind, _name, sql in kept if kind == "table"]
    for kind, name, sql in kept:
        if kind == "table" and not sql.startswith("CREATE VIRTUAL"):
            lines += _inserts(db, name)
    lines += [f"{sql};" for kind, _name, sql in kept if kind != "table"]
    return "\n".join(lines) + "\n"


def _inserts(db: sqlite_utils.Database, name: str) -> list[str]:
    columns = ", ".join(f'"{each}"' for each in db.table(name).columns_dict)
    values = " || ', ' || ".join(f'quote("{each}")' for each in db.table(name).columns_dict)
    rows = db.execute(f'SELECT {values} FROM "{name}"').fetchall()
    return [f'INSERT INTO "{name}" ({columns}) VALUES ({row[0]});' for row in rows]


if __name__ == "__main__":
    for each in write_missing():
        print(each)
    sys.exit()
