"""The queue of downloads outlives a start, and no two processes fetch the same one."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from storage_parts import get

from app.domain.changes import Changed, Changes, Kind
from app.domain.download import Download, RemotePart, State
from app.storage.database import Database
from app.storage.downloads import DownloadStore

WANTED = Download(
    0, "Model", "", "maker/Model-GGUF", "c" * 40, "Q4_K_M", (RemotePart("model-Q4_K_M.gguf", 1000, "a" * 64),)
)


def another(number: int) -> Download:
    return replace(WANTED, name=f"Model {number}", commit=f"{number:040}")


@pytest.fixture
def downloads(database: Database, published: list[Changed]) -> DownloadStore:
    changes = Changes(lambda call: call())
    changes.subscribe(published.append)
    return DownloadStore(database, changes)


def test_what_was_wanted_is_there_at_the_next_start(tmp_path: Path, reopen) -> None:
    path = tmp_path / "chats.db"
    first = Database(path)
    added = get(DownloadStore(first, Changes(lambda call: call())).add(WANTED))
    first.close()
    assert get(DownloadStore(reopen(path), Changes(lambda call: call())).all()) == [added]
    assert added == replace(WANTED, id=added.id)


def test_each_change_is_told(downloads: DownloadStore, published: list[Changed]) -> None:
    added = get(downloads.add(WANTED))
    get(downloads.set_state(added.id, State.FAILED, "Gone.", "Look elsewhere."))
    failed = get(downloads.all())[0]
    assert (failed.state, failed.problem, failed.hint) == (State.FAILED, "Gone.", "Look elsewhere.")
    get(downloads.remove([added.id]))
    assert get(downloads.all()) == []
    assert published == [Changed(Kind.DOWNLOADS, (added.id,))] * 3


def test_the_same_one_again_waits_anew(downloads: DownloadStore) -> None:
    added = get(downloads.add(WANTED))
    get(downloads.set_state(added.id, State.FAILED, "Gone.", ""))
    assert get(downloads.add(WANTED)) == added
    assert get(downloads.all()) == [added]


def test_they_are_taken_in_order_and_once(downloads: DownloadStore) -> None:
    first, second, third = (get(downloads.add(another(number))) for number in range(3))
    get(downloads.set_state(second.id, State.PAUSED))
    assert get(downloads.take()) == first
    assert get(downloads.take()) == third
    assert get(downloads.take()) is None
    get(downloads.release(first.id))
    assert get(downloads.take()) == first


def test_the_order_can_be_changed(downloads: DownloadStore) -> None:
    numbers = [get(downloads.add(another(number))).id for number in range(4)]
    get(downloads.move(numbers[3], before=numbers[1]))
    assert [each.id for each in get(downloads.all())] == [numbers[0], numbers[3], numbers[1], numbers[2]]
    get(downloads.move(numbers[0], before=None))
    assert [each.id for each in get(downloads.all())] == [numbers[3], numbers[1], numbers[2], numbers[0]]
    get(downloads.move(numbers[3], before=999))
    assert get(downloads.all())[-1].id == numbers[3]


def test_another_process_leaves_it_alone_until_this_one_is_gone(tmp_path: Path, reopen) -> None:
    path = tmp_path / "chats.db"
    script = (
        "import sys, time\n"
        "from app.domain.changes import Changes\n"
        "from app.storage.database import Database\n"
        "from app.storage.downloads import DownloadStore\n"
        f"database = Database(__import__('pathlib').Path({str(path)!r}))\n"
        "print(DownloadStore(database, Changes(lambda call: call())).take().result().id, flush=True)\n"
        "sys.stdin.read()\n"
    )
    ours = DownloadStore(reopen(path), Changes(lambda call: call()))
    added = get(ours.add(WANTED))
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert int(process.stdout.readline()) == added.id
    assert get(ours.take()) is None
    process.kill()
    process.communicate()
    assert get(ours.take()) == added


def test_a_row_that_makes_no_sense_hides_no_other(downloads: DownloadStore, database: Database) -> None:
    bad, good = get(downloads.add(another(1))), get(downloads.add(another(2)))
    for parts in ("{", "[]x", '[{"path": 1}]', '{"a": 1}'):
        get(database.write(lambda db, parts=parts: db.table("downloads").update(bad.id, {"parts": parts})))
        assert get(downloads.all()) == [good]
        assert get(downloads.take()) == good
        get(downloads.release(good.id))


def test_a_state_for_one_that_is_gone_changes_nothing(downloads: DownloadStore) -> None:
    get(downloads.set_state(7, State.DONE))
    assert get(downloads.all()) == []
