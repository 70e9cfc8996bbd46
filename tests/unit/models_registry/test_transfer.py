"""Files arrive bit by bit as they were, whatever happens on the way, or not at all."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry import part_file, transfer
from models_registry.transfer import BrokenOff, Throttle, Transfer, TransferError, Trouble, Wanted

CONTENT = random.Random(1).randbytes(1_500_000)


class Sender:
    """Sends CONTENT from where it is asked, with faults."""

    def __init__(self, content: bytes = CONTENT, cuts: list[int] | None = None, chunk: int = 65_536) -> None:
        self.content, self.chunk = content, chunk
        self.cuts = list(cuts or [])  # bytes after which each connection ends, in turn
        self.ranges, self.total_lie = True, 0
        self.sent = 0
        self.begun: list[int] = []

    def open_at(self, start: int) -> "Sending":
        self.begun.append(start)
        return Sending(self, start if self.ranges else 0, self.cuts.pop(0) if self.cuts else None)


class Sending:
    def __init__(self, sender: Sender, start: int, cut: int | None) -> None:
        self.total = len(sender.content) + sender.total_lie
        self.start = start
        self._sender, self._cut = sender, cut
        self._closed = threading.Event()

    def chunks(self) -> Iterator[bytes]:
        at, left = self.start, self._cut
        while at < len(self._sender.content) and not self._closed.is_set():
            chunk = self._sender.content[at : at + self._sender.chunk]
            if left is not None:
                if not left:
                    raise ConnectionResetError
                chunk = chunk[:left]
                left -= len(chunk)
            at += len(chunk)
            self._sender.sent += len(chunk)
            yield chunk

    def close(self) -> None:
        self._closed.set()


def wanted_in(folder: Path, content: bytes = CONTENT) -> Wanted:
    return Wanted(folder / "model.gguf", len(content), hashlib.sha256(content).hexdigest())


def until_whole(wanted: Wanted, sender: Sender) -> int:
    """Return how often it had to be begun."""
    for number in range(1, 100):
        try:
            assert Transfer(wanted).run(sender.open_at)
        except (BrokenOff, ConnectionResetError):
            continue
        return number
    raise AssertionError("it never ends")


@given(
    cuts=st.lists(st.integers(0, len(CONTENT)), max_size=8),
    chunk=st.integers(1_000, 400_000),
    ranges=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_cut_anywhere_it_arrives_whole(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], chunk: int, ranges: bool
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    sender = Sender(cuts=cuts, chunk=chunk)
    sender.ranges = ranges
    wanted = wanted_in(folder)
    until_whole(wanted, sender)
    assert wanted.target.read_bytes() == CONTENT
    assert list(folder.iterdir()) == [wanted.target]
    if ranges:
        assert sender.sent == len(CONTENT)  # nothing twice


def test_progress_never_goes_back_though_the_sender_begins_anew(tmp_path: Path) -> None:
    sender = Sender(cuts=[1_000_000, 200_000])
    sender.ranges = False
    wanted, seen = wanted_in(tmp_path), []
    for _try in range(3):
        one = Transfer(wanted)
        try:
            one.run(sender.open_at)
        except ConnectionResetError:
            seen.append(one.done)
    assert seen == [1_000_000, 1_000_000]
    assert wanted.target.read_bytes() == CONTENT


def test_wrong_bytes_are_fetched_once_more_and_then_refused(tmp_path: Path) -> None:
    wrong = bytearray(CONTENT)
    wrong[700_000] ^= 1
    sender, wanted = Sender(bytes(wrong)), wanted_in(tmp_path)
    with pytest.raises(TransferError) as caught:
        Transfer(wanted).run(sender.open_at)
    assert caught.value.trouble is Trouble.WRONG_BYTES
    assert sender.begun == [0, 0]
    assert not wanted.target.exists()
    wanted.abandon()
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_was_damaged_meanwhile_is_fetched_anew(tmp_path: Path) -> None:
    wanted = wanted_in(tmp_path)
    wanted.part.write_bytes(bytes(900_000))
    sender = Sender()
    assert Transfer(wanted).run(sender.open_at)
    assert sender.begun == [900_000, 0]
    assert wanted.target.read_bytes() == CONTENT


@pytest.mark.parametrize("lie", [-1, 1])
def test_another_size_than_announced_is_refused(tmp_path: Path, lie: int) -> None:
    sender = Sender()
    sender.total_lie = lie
    with pytest.raises(TransferError) as caught:
        Transfer(wanted_in(tmp_path)).run(sender.open_at)
    assert caught.value.trouble is Trouble.WRONG_SIZE


def test_more_bytes_than_announced_are_refused(tmp_path: Path) -> None:
    sender = Sender(CONTENT + b"more")
    sender.total_lie = -4
    with pytest.raises(TransferError) as caught:
        Transfer(wanted_in(tmp_path)).run(sender.open_at)
    assert caught.value.trouble is Trouble.WRONG_SIZE
    assert not (tmp_path / "model.gguf").exists()


def test_a_whole_part_is_only_checked(tmp_path: Path) -> None:
    wanted, sender = wanted_in(tmp_path), Sender()
    wanted.part.write_bytes(CONTENT)
    assert Transfer(wanted).run(sender.open_at)
    assert sender.begun == []


def test_a_longer_part_is_not_believed(tmp_path: Path) -> None:
    wanted, sender = wanted_in(tmp_path), Sender()
    wanted.part.write_bytes(CONTENT + b"x")
    assert Transfer(wanted).run(sender.open_at)
    assert sender.begun == [0]


@pytest.mark.parametrize(("boot", "begun"), [(0.0, 500_000), (None, 1_000_000)])
def test_after_a_power_failure_only_what_the_disk_kept_is_believed(
    tmp_path: Path, boot: float | None, begun: int
) -> None:
    import psutil

    wanted, sender = wanted_in(tmp_path), Sender()
    wanted.part.write_bytes(CONTENT[:1_000_000])
    note = {"kept": 500_000, "boot": psutil.boot_time() if boot is None else boot}
    wanted.journal.write_text(json.dumps(note))
    assert Transfer(wanted).run(sender.open_at)
    assert sender.begun == [begun]
    assert list(tmp_path.iterdir()) == [wanted.target]


def test_what_the_disk_keeps_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_file, "_SYNC_EVERY", 300_000)
    wanted, sender = wanted_in(tmp_path), Sender(cuts=[1_200_000])
    with pytest.raises(ConnectionResetError):
        Transfer(wanted, Throttle(5_000_000)).run(sender.open_at)
    assert 300_000 <= json.loads(wanted.journal.read_bytes())["kept"] <= 1_200_000
    assert Transfer(wanted).run(sender.open_at)
    assert list(tmp_path.iterdir()) == [wanted.target]


def test_half_a_note_is_cleared_away(tmp_path: Path) -> None:
    wanted = wanted_in(tmp_path)
    wanted.part.write_bytes(CONTENT[:1000])
    wanted.draft.write_text('{"kept"')  # the process was killed, or the disk was full
    wanted.abandon()
    assert list(tmp_path.iterdir()) == []
    wanted.draft.write_text('{"kept"')
    assert Transfer(wanted).run(Sender().open_at)
    assert list(tmp_path.iterdir()) == [wanted.target]


def test_too_little_room_is_said_before_anything_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "KEPT_FREE", 1 << 60)
    sender = Sender()
    with pytest.raises(TransferError) as caught:
        Transfer(wanted_in(tmp_path)).run(sender.open_at)
    assert caught.value.trouble is Trouble.NO_SPACE
    assert caught.value.missing > 1 << 59
    assert sender.begun == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("a file")
    with pytest.raises(TransferError) as caught:
        Transfer(wanted_in(tmp_path / "in the way")).run(Sender().open_at)
    assert caught.value.trouble is Trouble.UNWRITABLE


def test_two_at_the_same_file_do_not_mix(tmp_path: Path) -> None:
    wanted = wanted_in(tmp_path)
    begun, go_on = threading.Event(), threading.Event()

    class Waiting(Sending):
        def chunks(self) -> Iterator[bytes]:
            for chunk in super().chunks():
                yield chunk
                begun.set()
                go_on.wait(10)

    first = Transfer(wanted)
    thread = threading.Thread(target=first.run, args=(lambda start: Waiting(Sender(), start, None),))
    thread.start()
    try:
        assert begun.wait(10)
        with pytest.raises(TransferError) as caught:
            Transfer(wanted).run(Sender().open_at)
        assert caught.value.trouble is Trouble.IN_USE
    finally:
        go_on.set()
        thread.join(10)
    assert wanted.target.read_bytes() == CONTENT


def test_a_stop_keeps_what_has_arrived(tmp_path: Path) -> None:
    wanted, sender = wanted_in(tmp_path), Sender(chunk=10_000)
    throttle = Throttle(200_000)
    one = Transfer(wanted, throttle)
    ended: list[bool] = []
    thread = threading.Thread(target=lambda: ended.append(one.run(sender.open_at)))
    thread.start()
    while one.done < 20_000:
        time.sleep(0.005)
    asked = time.monotonic()
    one.stop()
    thread.join(5)
    assert time.monotonic() - asked < 0.5
    assert ended == [False]
    kept = wanted.part.stat().st_size
    assert CONTENT.startswith(wanted.part.read_bytes())
    throttle.limit = 0
    assert Transfer(wanted, throttle).run(sender.open_at)
    assert sender.begun == [0, kept]


def test_the_limit_holds_for_all_together(tmp_path: Path) -> None:
    throttle, content = Throttle(1_000_000), CONTENT[:300_000]
    folders = [tmp_path / "a", tmp_path / "b"]
    began = time.monotonic()
    threads = [
        threading.Thread(
            target=Transfer(wanted_in(folder, content), throttle).run, args=(Sender(content).open_at,)
        )
        for folder in folders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert all((folder / "model.gguf").read_bytes() == content for folder in folders)
    assert 0.55 < time.monotonic() - began < 3


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_transfer import CONTENT, Sender, wanted_in
from models_registry.transfer import Throttle, Transfer
print("ready", flush=True)
Transfer(wanted_in(Path({folder!r})), Throttle(6_000_000)).run(Sender(chunk=7_000).open_at)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_killed_at_any_moment_it_goes_on_from_there(tmp_path: Path) -> None:
    chance = random.Random(5)
    script = KILLED.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    wanted, sizes = wanted_in(tmp_path), [0]
    for _kill in range(3):
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.02, 0.12))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        if wanted.target.exists():
            break
        sizes.append(wanted.part.stat().st_size if wanted.part.exists() else 0)
        assert sizes[-1] >= sizes[-2]
        assert CONTENT.startswith(wanted.part.read_bytes() if wanted.part.exists() else b"")
    sender = Sender()
    if not wanted.target.exists():
        Transfer(wanted).run(sender.open_at)
        assert sender.sent == len(CONTENT) - sizes[-1]
    assert wanted.target.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [wanted.target]
