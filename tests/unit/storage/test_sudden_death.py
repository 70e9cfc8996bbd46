"""A process that is killed in the middle of a turn, and two that write at once."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from storage_parts import WRITING_PROCESS, get, problems
from writing_process import CHUNKS, text, thoughts

from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import Role, Status
from app.storage.chats import ChatStore
from app.storage.database import Database

KILLS = 10
PERF = Path(__file__).parents[2] / "perf"


def start(path: Path, turns: int = -1, *more: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, WRITING_PROCESS, path, str(turns), *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def killed_after(path: Path, lines: int, seconds: float) -> list[list[str]]:
    """Kill a writing process so many lines and seconds after it has opened the file; return what it said."""
    with start(path) as process:
        assert process.stdout.readline() == "open\n"
        said = [process.stdout.readline() for _line in range(lines)]
        time.sleep(seconds)
        process.kill()
        return [line.split() for line in (*said, *process.stdout)]


def check_turn(store: ChatStore, said: list[list[str]]) -> str:
    """Check what is kept of the last turn that was promised; return its status."""
    last = max(i for i, line in enumerate(said) if line[0] == "turn")
    reply_id = int(said[last][1])
    promised = sum(line[0] == "chunk" for line in said[last:])
    finished = ["finished", str(reply_id)] in said[last:]
    _chat, tree = get(store.chat(1))
    reply = tree.messages[reply_id]
    if reply.status is Status.COMPLETE:
        assert promised == CHUNKS
        assert (reply.text, reply.reasoning) == (text(CHUNKS), thoughts(CHUNKS))
    else:
        assert reply.status is Status.INTERRUPTED
        assert not finished
        kept = promised if reply.text == text(promised) else promised + 1
        assert (reply.text, reply.reasoning) == (text(kept), thoughts(kept))
        assert reply.reasoning_seconds == max(kept - 1, 0) / 10
    for line in said:
        if line[0] == "finished":
            assert tree.messages[int(line[1])].text == text(CHUNKS)
    return str(reply.status)


def check_tree(store: ChatStore) -> None:
    chat, tree = get(store.chat(1))
    path = tree.path(chat.tip_id)
    assert len(path) == len(tree.messages)  # no branch, nothing lost on the way
    for asked, reply in zip(path[::2], path[1::2], strict=True):
        assert (asked.role, reply.role) == (Role.USER, Role.ASSISTANT)
        assert asked.text.startswith("Question")
        assert tree.children[asked.id] == [reply.id]
        assert reply.status in (Status.COMPLETE, Status.INTERRUPTED)


def test_a_killed_process_loses_no_word_it_has_promised(tmp_path: Path, reopen) -> None:
    path = tmp_path / "chats.db"
    chance = random.Random(20)
    statuses = []
    for _kill in range(KILLS):
        said = killed_after(path, chance.randrange(2 * CHUNKS), chance.uniform(0, 0.004))
        database = reopen(path)
        store = ChatStore(database, Changes(lambda call: call()))
        assert problems(database) == []
        ended = get(store.recover())
        assert len(ended) <= 1
        assert get(store.recover()) == []
        if any(line[0] == "turn" for line in said):
            statuses.append(check_turn(store, said))
        if get(store.chats()):
            check_tree(store)
        assert get(database.read(lambda db: db.table("chunks").count)) == 0
        database.close()
    assert "interrupted" in statuses  # else the moments were badly chosen


def test_what_a_living_process_writes_is_left_to_it(
    store: ChatStore, published: list[Changed], tmp_path: Path
) -> None:
    with start(tmp_path / "chats.db", 1, "hold") as process:
        assert any(line == f"chunk {CHUNKS // 2}\n" for line in process.stdout)
        assert get(store.recover()) == []
        process.kill()
    ended = get(store.recover())
    assert len(ended) == 1
    assert published == [Changed(Kind.MESSAGES, tuple(ended))]
    assert get(store.chat(1))[1].messages[ended[0]].text == text(CHUNKS // 2 + 1)


@pytest.mark.parametrize("mark", [None, "", "nonsense", "1:2", "99999999999999999999:1.0"])
def test_a_mark_of_no_living_process_is_no_life(
    store: ChatStore, database: Database, tmp_path: Path, mark: str | None
) -> None:
    with start(tmp_path / "chats.db", 1) as process:
        process.stdout.read()
    sql = "UPDATE messages SET status = 'writing', writer = ? WHERE id = 2"
    get(database.write(lambda db: db.execute(sql, [mark])))
    assert get(store.recover()) == [2]
    assert get(store.chat(1))[1].messages[2].status is Status.INTERRUPTED


def test_two_processes_write_at_once(tmp_path: Path, reopen) -> None:
    path = tmp_path / "chats.db"
    get(reopen(path).open())
    with start(path, 6) as one, start(path, 6) as other:
        one.communicate(timeout=60)
        other.communicate(timeout=60)
    assert (one.returncode, other.returncode) == (0, 0)
    database = reopen(path)
    store = ChatStore(database, Changes(lambda call: call()))
    assert get(store.recover()) == []
    answers = [
        message
        for chat in get(store.chats())
        for message in get(store.chat(chat.id))[1].messages.values()
        if message.role is Role.ASSISTANT
    ]
    assert [message.text for message in answers] == [text(CHUNKS)] * 12
    assert problems(database) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.parametrize("more", [("sudden_ends.py", "--kills", "7"), ("torn_logs.py", "--logs", "25")])
def test_a_little_of_what_is_done_a_thousandfold_elsewhere(more: tuple[str, ...]) -> None:
    """Kill a process once at each kind of work, and tear a few logs."""
    done = subprocess.run(
        [sys.executable, PERF / more[0], *more[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "    0 things wrong" in done.stdout
