"""Kills a process that works on the chats, at seeded random moments, and looks at what is left.

    python tests/perf/sudden_ends.py [--kills 500] [--seed 20] [--only streaming]

After each kill (SIGKILL, so POSIX only) another process opens the file and must find: the file whole by
`integrity_check`, every finished message as it was promised, of an answer on its way all that was shown but
the last 100 ms, no message that is still being written, every draft. What a person does is all done or not
at all: an import, a restore, an update of the schema, an erasure. Prints what was found; ends with 1 if
anything was wrong. Processes are forked, as starting Python would take most of the time.
"""

import argparse
import json
import logging
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # noqa: F401 -- imported once, before the forks
import pysqlite3
import sqlite_utils  # noqa: F401

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "storage"))
from frozen_databases import load
from sudden_work import IMPORTED, WORK, Open, Tell

from app.services.importing import Importing
from app.storage import backups
from app.storage.checks import examine
from app.storage.database import Database
from app.storage.migrations import STEPS

LATEST_MS = 100.0


MIGRATING = "migrating"


@dataclass
class Ledger:
    """What was promised, and what was on its way.

    Attributes:
        finished: The texts of finished messages, by id, with their chats.
        drafts: What may stand unsent in each chat.
        shown: Of each answer, when each length was shown, and the whole of it.
        of_backup: What was finished in each backup.
        imports: Titles, and whether they are all in for sure.
        restoring: The backup that was being restored.
    """

    finished: dict[int, tuple[int, str]] = field(default_factory=dict)
    drafts: dict[int, set[str]] = field(default_factory=dict)
    shown: dict[int, list[tuple[int, float, str]]] = field(default_factory=dict)
    of_backup: dict[str, dict[int, tuple[int, str]]] = field(default_factory=dict)
    erasing: set[int] = field(default_factory=set)
    imports: dict[str, bool] = field(default_factory=dict)
    restoring: str = ""

    def take(self, said: dict[str, Any]) -> None:
        """Note a line of the process."""
        match said.pop("what"):
            case "finished":
                self.finished[said["id"]] = said["chat"], said["text"]
                self.shown.pop(said["id"], None)
            case "shown":
                self.shown.setdefault(said["id"], []).append((said["length"], said["at"], said["text"]))
            case "drafting":
                self.drafts.setdefault(said["chat"], set()).add(said["text"])
            case "drafted":
                self.drafts[said["chat"]] = {said["text"]}
            case "erasing":
                self.erasing.add(said["chat"])
            case "erased":
                self.forget(said["chat"])
            case "backed-up":
                self.of_backup[said["name"]] = dict(self.finished)
            case "restoring":
                self.restoring = said["name"]
            case "restored":
                self.finished, self.restoring = dict(self.of_backup[said["name"]]), ""
                self.drafts.clear()
            case "importing":
                self.imports[said["title"]] = False
            case "imported":
                self.imports[said["title"]] = True

    def forget(self, chat: int) -> None:
        """Expect nothing of a chat any more."""
        self.finished = {key: value for key, value in self.finished.items() if value[0] != chat}
        self.drafts.pop(chat, None)
        self.erasing.discard(chat)


def spawn(work: Callable[[Tell], None]) -> tuple[int, int]:
    """Have a forked process do `work`; return its id and where it tells."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        with os.fdopen(writing, "w", buffering=1) as out:

            def tell(what: str, **values: Any) -> None:
                out.write(json.dumps({"what": what, **values}) + "\n")

            try:
                work(tell)
                code = 0
            except BaseException as error:
                tell("failed", error=f"{type(error).__name__}: {error}")
                code = 1
            out.flush()
            os._exit(code)
    os.close(writing)
    return pid, reading


def lines(reading: int) -> Iterator[dict[str, Any]]:
    """Return what was told, to the last whole line."""
    with os.fdopen(reading) as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)


def kill_after(seconds: float, work: Callable[[Tell], None]) -> tuple[list[dict[str, Any]], float]:
    """Kill a process so many seconds after it has said that it is open; return what it said, and when."""
    pid, reading = spawn(work)
    killed = [0.0]

    def kill(*_args: object) -> None:
        killed[0] = time.monotonic()
        os.kill(pid, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    said = []
    for line in lines(reading):
        if line["what"] == "open":
            signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.0005))
        else:
            said.append(line)
    signal.setitimer(signal.ITIMER_REAL, 0)
    os.waitpid(pid, 0)
    return said, killed[0]


def look(path: Path, tell: Tell) -> None:
    """Open what was left, as the next start does, and tell what is there."""
    was_left = Path(f"{path}-wal").exists()
    opened = Open(path)
    ended = opened.store.recover().result()
    again = opened.store.recover().result()
    Importing(opened.whole)._tidy()

    def read(db: Any) -> dict[str, Any]:
        problems = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        problems += [str(row) for row in db.execute("PRAGMA foreign_key_check")]
        messages = db.execute("SELECT id, status, text FROM messages").fetchall()
        drafts = db.execute("SELECT id, draft FROM chats").fetchall()
        titles = db.execute(
            "SELECT title, count(*) FROM chats WHERE title LIKE 'import %' GROUP BY 1"
        ).fetchall()
        (chunks,) = db.execute("SELECT count(*) FROM chunks").fetchone()
        return {
            "problems": problems,
            "messages": messages,
            "drafts": drafts,
            "titles": titles,
            "chunks": chunks,
            "ended": ended,
            "again": again,
            "ended_badly": opened.database.ended_badly or not was_left,
            "backups": [each.path.name for each in backups.backups(path)],
        }

    found = opened.database.read(read).result()
    findings = examine(path)
    bad = [each.path.name for each in backups.backups(path) if not backups.is_whole(each.path)]
    opened.database.close()
    tell("found", **found, well=findings.is_well, findings=findings.to_json(), bad_backups=bad)


def looked_at(path: Path) -> dict[str, Any]:
    pid, reading = spawn(lambda tell: look(path, tell))
    (found,) = list(lines(reading))
    os.waitpid(pid, 0)
    if found["what"] == "failed":
        raise SystemExit(f"{path} cannot be opened any more: {found['error']}")
    return found


@dataclass
class Report:
    """What went wrong, and how much was lost.

    Attributes:
        wrong: Sentences.
        lost_ms: How long before each kill the first thing was shown that is not there.
        kills: By what was done.
    """

    wrong: list[str] = field(default_factory=list)
    lost_ms: list[float] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)

    def check(self, holds: object, text: str) -> None:
        """Note `text` unless something holds."""
        if not holds:
            self.wrong.append(text)


def compare(report: Report, ledger: Ledger, found: dict[str, Any], killed_at: float, name: str) -> None:
    """Compare what is there with what was promised, and go on from there."""
    report.check(not found["problems"], f"{name}: damaged: {found['problems'][:2]}")
    report.check(found["well"], f"{name}: {found['findings']}")
    report.check(not found["again"] and not found["chunks"], f"{name}: still being written")
    report.check(found["ended_badly"], f"{name}: the end was taken for a good one")
    report.check(not found["bad_backups"], f"{name}: a damaged backup counts: {found['bad_backups']}")
    messages = {each[0]: (each[1], each[2]) for each in found["messages"]}
    report.check(all(each[0] != "writing" for each in messages.values()), f"{name}: a row is being written")
    if ledger.restoring:
        before = all(messages.get(key, ("", ""))[1] == each[1] for key, each in ledger.finished.items())
        restored = ledger.of_backup[ledger.restoring]
        after = all(messages.get(key, ("", ""))[1] == each[1] for key, each in restored.items())
        after = after and not any(key in messages for key in ledger.finished.keys() - restored.keys())
        report.check(before or after, f"{name}: neither what was there nor the backup")
        if not before:
            ledger.take({"what": "restored", "name": ledger.restoring})
        ledger.restoring = ""
    for chat in list(ledger.erasing):
        kept = [
            messages.get(key, ("", ""))[1] == each[1]
            for key, each in ledger.finished.items()
            if each[0] == chat
        ]
        report.check(all(kept) or not any(kept), f"{name}: a chat was erased in half")
        ledger.forget(chat)
    for key, (_chat, text) in ledger.finished.items():
        report.check(messages.get(key, ("", ""))[1] == text, f"{name}: message {key} has changed")
    for key, shown in ledger.shown.items():
        stored = messages.get(key, ("", ""))[1]
        report.check(
            shown[-1][2].startswith(stored), f"{name}: answer {key} is no beginning of what was written"
        )
        missing = [at for length, at, _text in shown if length > len(stored)]
        lost = (killed_at - missing[0]) * 1000 if missing else 0.0
        report.lost_ms.append(lost)
        report.check(lost <= LATEST_MS, f"{name}: {lost:.0f} ms of what was shown are lost")
    drafts = dict(found["drafts"])
    for chat, allowed in ledger.drafts.items():
        report.check(drafts.get(chat, "") in allowed, f"{name}: the draft of {chat} is {drafts.get(chat)!r}")
        ledger.drafts[chat] = {drafts.get(chat, "")}
    titles = dict(found["titles"])
    for title, done in ledger.imports.items():
        there = titles.get(title, 0)
        report.check(
            there == IMPORTED or (not done and not there), f"{name}: {there} of {IMPORTED} were imported"
        )
    ledger.shown.clear()


def run_work(report: Report, home: Path, ledger: Ledger, what: str, seed: int) -> None:
    """Kill one process that works on the database of a folder."""
    path, chance = home / "chats.db", random.Random(seed)

    def work(tell: Tell) -> None:
        opened = Open(path)
        opened.store.recover().result()
        Importing(opened.whole)._tidy()
        tell("open")
        WORK[what](opened, chance, tell)

    said, killed_at = kill_after(chance.uniform(0, 0.35), work)
    for line in said:
        report.check(line["what"] != "failed", f"{what}, seed {seed}: {line}")
        ledger.take(line)
    compare(report, ledger, looked_at(path), killed_at, f"{what}, seed {seed}")


def run_migration(report: Report, home: Path, seed: int) -> None:
    """Kill a process that brings an older schema up to date."""
    chance = random.Random(seed)
    step = chance.choice(STEPS[:-1]).__name__
    folder = Path(tempfile.mkdtemp(dir=home))
    path = folder / "chats.db"
    load(step, path)
    connection = pysqlite3.connect(path)
    connection.executemany(
        "INSERT INTO messages (id, chat_id, role, status, created_at, text)"
        " VALUES (?, 1, 'user', 'complete', 1, ?)",
        ((number, f"Message {number} " * 40) for number in range(100, 1500)),
    )
    connection.commit()
    before = dict(connection.execute("SELECT id, text FROM messages WHERE status != 'writing'").fetchall())
    connection.close()

    def work(tell: Tell) -> None:
        tell("open")
        Database(path).open().result()
        tell("done")
        time.sleep(60)

    kill_after(chance.uniform(0, 0.12), work)
    found = looked_at(path)
    found["ended_badly"] = True  # it may have been killed before it had opened anything
    texts = {each[0]: each[2] for each in found["messages"] if each[0] in before}
    name = f"{MIGRATING} after {step}, seed {seed}"
    report.check(texts == before, f"{name}: messages have changed")
    report.check(found["backups"], f"{name}: there is no backup")
    compare(report, Ledger(), found, 0.0, name)
    for each in sorted(folder.rglob("*"), reverse=True):
        each.rmdir() if each.is_dir() else each.unlink()
    folder.rmdir()


def run(kills: int, seed: int, only: str = "") -> Report:
    """Kill so many processes, one after the other; return what was found."""
    report, chance = Report(), random.Random(seed)
    kinds = [only] if only else [*WORK, MIGRATING]
    with tempfile.TemporaryDirectory() as folder:
        for number in range(kills):
            if number % 40 == 0:  # a new database now and then
                home, ledger = Path(folder) / str(number), Ledger()
                home.mkdir()
            what = kinds[number % len(kinds)]
            report.kills[what] += 1
            moment = chance.randrange(1 << 30)
            if what == MIGRATING:
                run_migration(report, home, moment)
            else:
                run_work(report, home, ledger, what, moment)
            if sys.stderr.isatty():
                print(f"\r{number + 1} of {kills}", end="", file=sys.stderr)
    return report


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=500)
    arguments.add_argument("--seed", type=int, default=20)
    arguments.add_argument("--only", choices=(*WORK, MIGRATING), default="")
    given = arguments.parse_args()
    logging.getLogger("fireside").addHandler(logging.NullHandler())  # damage is a part of it
    began = time.monotonic()
    report = run(given.kills, given.seed, given.only)
    for what, count in report.kills.items():
        print(f"{count:5} kills while {what}")
    lost = sorted(report.lost_ms)
    if lost:
        some = sum(each > 0 for each in lost)
        print(f"{len(lost):5} answers on their way: {some} lost a piece, at most the last {lost[-1]:.1f} ms")
    print(f"{len(report.wrong):5} things wrong, in {time.monotonic() - began:.0f} s")
    for text in report.wrong[:20]:
        print(f"      {text}")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
