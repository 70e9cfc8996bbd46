"""A history of 10,000 chats and 1,000,000 messages, and how fast it is.

`python tests/perf/big_history.py make PATH` writes it: English, Chinese and code, the same for the same
`--seed`, some 400 MB of text. `… measure PATH` opens it as the window does, and prints each figure beside
its target: the list, a chat, searches as one types, the size. It ends with 1 when one is missed.
"""

import argparse
import ast
import importlib.util
import itertools
import pkgutil
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.domain.changes import Changes
from app.domain.chat import title_from
from app.domain.generation import Stats, StopReason
from app.domain.search import Query
from app.domain.settings import Settings
from app.storage import search_index
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.rows import compact
from app.storage.search import SearchStore

TRANSLATIONS = Path(__file__).resolve().parents[2] / "assets/translations/zh_CN/LC_MESSAGES/fireside.po"
MODELS = [
    ("Llama 3.2 3B Instruct", "a" * 64, "/home/someone/models/Llama-3.2-3B-Instruct-Q4_K_M.gguf"),
    ("Qwen3 8B", "b" * 64, "/home/someone/models/Qwen3-8B-Q4_K_M.gguf"),
    ("Gemma 3 4B", "c" * 64, "/home/someone/models/gemma-3-4b-it-Q4_K_M.gguf"),
]
SAMPLERS = ("penalties", "top_k", "top_p", "min_p", "temperature")
DAY = 86_400
NOW = 1_795_000_000.0
STEP = 5_000  # messages in one transaction

TARGETS = {"list": 300.0, "chat": 100.0, "search": 50.0}  # milliseconds
MOST_SIZE = 2.2  # times the text
ENGLISH_QUERIES = (
    'function;the list of arguments;exception handling;"return value";database connection;regular expression;'
    'temporary file;how do I;thread safety;unicode;"for example";class attributes;memory error;sort order;'
    "generator;socket timeout;python;what is the difference;encoding;subprocess output;decorator;json"
)
CHINESE_QUERIES = (
    "模型;文件;下载;你的;上下文;设置;聊天;没有;内存;这个模型;一次;电脑;的;重新开始;网络;语言;消息;完成"
)


class Sentences:
    """Sentences of the documentation of Python's library, its code, and Chinese of Fireside's own window."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.english: list[str] = []
        self.code: list[str] = []
        for name in sorted(
            module.name for module in pkgutil.iter_modules() if module.name in sys.stdlib_module_names
        ):
            found = importlib.util.find_spec(name)
            if found and found.origin and found.origin.endswith(".py"):
                self._read(Path(found.origin).read_text(encoding="utf-8", errors="replace"))
        import pydoc_data.topics

        for text in pydoc_data.topics.topics.values():
            self.english += _sentences(text)
        self.english = sorted(set(self.english))
        written = re.findall(
            r'^msgstr(?:\[0\])? "(.+)"$', TRANSLATIONS.read_text(encoding="utf-8"), re.MULTILINE
        )
        pieces = [
            piece for text in written for piece in re.split(r"[，。；：！？、]", text) if len(piece) > 3
        ]
        self.chinese = [self._join(pieces) for _ in range(30_000)]
        self.words = sorted({word for text in self.english for word in re.findall(r"[a-z]{4,}", text)})

    def _join(self, pieces: list[str]) -> str:
        count = self._chance.randint(2, 4)
        return "，".join(self._chance.choices(pieces, k=count)) + "。"

    def _read(self, source: str) -> None:
        try:
            tree = ast.parse(source)
        except SyntaxError:
            return
        lines = source.splitlines()
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                self.english += _sentences(ast.get_docstring(node) or "")
            if isinstance(node, ast.FunctionDef) and 2 < (node.end_lineno or 0) - node.lineno < 25:
                self.code.append("\n".join(lines[node.lineno - 1 : node.end_lineno]))

    def question(self, chinese: bool) -> str:
        """Return what a person asks, with something of its own in it."""
        if chinese:
            return self._chance.choice(self.chinese) + str(self._chance.randint(1, 99_999))
        words = " ".join(self._chance.choices(self.words, k=3))
        return f"{self._chance.choice(self.english)} {words.capitalize()}?"

    def answer(self, chinese: bool) -> str:
        """Return what a model answers: a few paragraphs, now and then a block of code."""
        pool = self.chinese if chinese else self.english
        paragraphs = [
            " ".join(self._chance.choices(pool, k=self._chance.randint(1, 4)))
            for _ in range(self._chance.randint(2, 7))
        ]
        if self._chance.random() < 0.15:
            paragraphs.insert(1, f"```python\n{self._chance.choice(self.code)}\n```")
        return "\n\n".join(paragraphs)


def _sentences(text: str) -> list[str]:
    joined = " ".join(text.split())
    return [each for each in re.split(r"(?<=[.!?]) ", joined) if 25 < len(each) < 300]


def rows(chance: random.Random, chats: int, messages: int) -> Iterator[tuple[Any, ...]]:
    """Yield chats, each before its messages; every tenth question has two answers."""
    sentences = Sentences(chance)
    settings = compact(Settings(temperature=0.7, seed=7))
    number = 0
    for chat in range(1, chats + 1):
        count = messages // chats
        chinese = chance.random() < 0.3
        began = NOW - (chats - chat) * DAY * 1000 / chats
        first = sentences.question(chinese)
        yield "chat", chat, began, title_from(first), MODELS[chat % 3][2]
        parent = None
        for turn in range(count):
            number += 1
            at = began + turn * 40
            if turn % 2 == 0:
                text = first if turn == 0 else sentences.question(chinese)
                yield "message", number, chat, parent, "user", at, None, None, None, None, None, text
                parent = number
                continue
            text = sentences.answer(chinese)
            counts = turn * 90, turn * 80, len(text) // 4
            times = chance.random(), chance.random() * 9, chance.random()
            stats = Stats(
                StopReason.END, *counts, *times, chance.getrandbits(31), 8192, threads=8, samplers=SAMPLERS
            )
            model = MODELS[chance.choice((0, 0, 0, 1, 1, 2))]
            yield "message", number, chat, parent, "assistant", at, *model, settings, compact(stats), text
            if turn % 20 != 1:  # else the next question follows the one before, as another version
                parent = number


def write(database: Database, made: Iterator[tuple[Any, ...]]) -> None:
    """Insert what `rows` yields, in transactions of some thousands."""
    messages = (
        "INSERT INTO messages (id, chat_id, parent_id, role, created_at,"
        " model_name, model_sha256, model_path, settings, stats, text, status)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'complete')"
    )
    chats = "INSERT INTO chats (id, created_at, updated_at, title, model_path) VALUES (?, ?, ?, ?, ?)"
    while batch := list(itertools.islice(made, STEP)):

        def insert(db: Any, batch: list[tuple[Any, ...]] = batch) -> None:
            db.conn.executemany(
                chats, [(row[1], row[2], row[2], *row[3:]) for row in batch if row[0] == "chat"]
            )
            db.conn.executemany(messages, [row[1:] for row in batch if row[0] == "message"])

        database.write(insert).result()

    def end(db: Any) -> None:
        db.execute(
            "UPDATE chats SET tip_message_id = (SELECT max(id) FROM messages WHERE chat_id = chats.id)"
        )

    database.write(end).result()


def make(path: Path, chats: int, messages: int, seed: int) -> None:
    """Write the history and its index."""
    for each in path.parent.glob(path.name + "*"):
        each.unlink()
    database = Database(path)
    began = time.perf_counter()
    write(database, rows(random.Random(seed), chats, messages))
    print(f"written in        {time.perf_counter() - began:8.1f} s")
    index(database)
    database.close()


def index(database: Database) -> None:
    """Work off what waits for the index, as the writer does at leisure."""
    steps: list[float] = []
    more = True
    while more:
        began = time.perf_counter()
        more = database.write(search_index.work_off).result()
        steps.append(time.perf_counter() - began)
    steps.sort()
    print(
        f"indexed in        {sum(steps):8.1f} s, a step {_ms(statistics.median(steps))},"
        f" p99 {_ms(steps[int(len(steps) * 0.99)])}, at most {_ms(steps[-1])}"
    )


def measure(path: Path) -> bool:
    """Print every figure; return whether all targets are met."""
    fine = [
        _told("start to list", timed_start(path), TARGETS["list"]),
        _told("open a chat, p95", timed_chats(path), TARGETS["chat"]),
    ]
    fine += timed_searches(path)
    text, size = sizes(path)
    ratio = size / text
    print(f"text              {text / 1e6:8.1f} MB\ndatabase          {size / 1e6:8.1f} MB")
    print(f"database to text  {ratio:8.2f}    at most {MOST_SIZE} {'' if ratio <= MOST_SIZE else '  MISSED'}")
    return all(fine) and ratio <= MOST_SIZE


def timed_start(path: Path) -> float:
    """Return the median time from nothing open to all chats read."""

    def start() -> None:
        database = Database(path)
        found = ChatStore(database, Changes(lambda call: call())).chats().result()
        assert found
        database.close()

    start()  # imports are a matter of the start of the app
    return statistics.median(_timed(start) for _ in range(5))


def timed_chats(path: Path) -> float:
    """Return the 95th percentile of reading one chat with all its messages."""
    database = Database(path)
    store = ChatStore(database, Changes(lambda call: call()))
    ids = [chat.id for chat in store.chats().result()]
    chosen = random.Random(2).sample(ids, min(60, len(ids)))
    times = sorted(_timed(lambda chat_id=chat_id: store.chat(chat_id).result()) for chat_id in chosen)  # type: ignore[misc]
    database.close()
    return times[int(len(times) * 0.95)]


def timed_searches(path: Path) -> list[bool]:
    """Print the times of searches for every beginning of many queries, and of such with filters."""
    database = Database(path)
    search = SearchStore(database)
    search.find(Query("once")).result()
    typed = [
        text[:end]
        for text in f"{ENGLISH_QUERIES};{CHINESE_QUERIES}".split(";")
        for end in range(1, len(text) + 1)
    ]
    times = {text: _timed(lambda text=text: search.find(Query(text)).result()) for text in typed}  # type: ignore[misc]
    fine = [_told(f"search, p95 of {len(times)}", percentile(times), TARGETS["search"])]
    slowest = sorted(times.items(), key=lambda item: -item[1])[:6]
    print("  slowest:", ", ".join(f"{text!r} {_ms(seconds)}" for text, seconds in slowest))
    filters: dict[str, dict[str, Any]] = {
        "model": {"model": MODELS[2][0]},
        "code": {"code": True},
        "old": {"until": NOW - 900 * DAY},
        "one chat": {"chat_id": 77},
        "folder": {"folder_id": 1},
    }
    for name, values in filters.items():
        some = {
            text: _timed(lambda text=text, values=values: search.find(Query(text, **values)).result())
            for text in typed[::5]
        }  # type: ignore[misc]
        _told(f"  with {name}, p95", percentile(some), TARGETS["search"])
    database.close()
    return fine


def sizes(path: Path) -> tuple[int, int]:
    """Return the bytes of all texts and titles, and of the file."""
    bytes_of = "SELECT total(length(CAST({} AS BLOB))) FROM {}"
    facts = "coalesce(settings || stats || model_name || model_path || model_sha256, '')"
    parts = {
        "texts": bytes_of.format("text", "messages"),
        "titles": bytes_of.format("title", "chats"),
        "index": bytes_of.format("block", "search_data"),
        "about answers": bytes_of.format(facts, "messages"),
    }
    database = Database(path)
    found = {
        name: database.read(lambda db, sql=sql: db.execute(sql).fetchone()[0]).result()
        for name, sql in parts.items()
    }  # type: ignore[misc]
    database.close()
    for name, size in found.items():
        print(f"{name:18}{size / 1e6:8.1f} MB")
    return int(found["texts"] + found["titles"]), path.stat().st_size


def percentile(times: dict[str, float]) -> float:
    """Return the 95th percentile."""
    return sorted(times.values())[int(len(times) * 0.95)]


def _timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _told(name: str, seconds: float, most: float) -> bool:
    fine = seconds * 1000 <= most
    print(f"{name:18}{seconds * 1000:8.1f} ms at most {most:.0f} {'' if fine else '  MISSED'}", flush=True)
    return fine


def main() -> int:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("make", "measure"))
    parser.add_argument("path", type=Path)
    parser.add_argument("--chats", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20261124)
    arguments = parser.parse_args()
    if arguments.action == "make":
        make(arguments.path, arguments.chats, arguments.messages, arguments.seed)
        return 0
    return 0 if measure(arguments.path) else 1


if __name__ == "__main__":
    sys.exit(main())
