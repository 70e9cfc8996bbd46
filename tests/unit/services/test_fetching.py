"""Downloads through the real client from a hub with faults: bit by bit what was announced, or a sentence."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from download_desk import MAKER, Desk, wait_for
from loopback_hub import GOOD_TOKEN, Fault, LoopbackHub, Request, Seeded
from small_disk import SmallDisk, small_disk

from app.domain.download import State
from app.services import fetching
from app.services.hubs import HubSettings
from models_registry import transfer
from models_registry.hub.client import Hub


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_DELAYS", (0.001, 0.01, 0.05))
    monkeypatch.setattr(fetching, "_IN_USE_SECONDS", 0.05)
    monkeypatch.setattr("app.services.hubs.Hub", partial(Hub, patience=0.5))


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub() as hub:
        yield hub
        assert hub.trapped == []
        assert hub.violations == []


@pytest.fixture
def desk(tmp_path: Path, hub: LoopbackHub) -> Iterator[Desk]:
    desk = Desk(tmp_path, hub.endpoint)
    yield desk
    desk.close()


def content(size: int = 3_000_000, seed: int = 1) -> Seeded:
    return Seeded(size, seed, head=b"GGUF")


def same(path: Path, expected: Seeded) -> bool:
    return path.read_bytes() == b"".join(expected.slices(0, expected.size))


def first_byte(request: Request) -> int:
    """Return where the bytes begin that were asked for."""
    return int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").split("-")[0])


def test_a_model_arrives_and_is_told_of(desk: Desk, hub: LoopbackHub) -> None:
    model = content()
    hub.add(MAKER, {"model-Q4_K_M.gguf": model, "README.md": b"# Model"})
    desk.downloads.begin()
    download = desk.add()
    desk.until(download, State.DONE)
    path = desk.home / "models" / "maker" / "Model-GGUF" / "model-Q4_K_M.gguf"
    assert same(path, model)
    assert desk.arrived == [(model.sha256, [path])]
    assert desk.files() == ["maker/Model-GGUF/model-Q4_K_M.gguf"]
    assert hub.sent("model-Q4_K_M.gguf") == model.size
    progress = desk.downloads.progress(desk.state(download))
    assert (progress.running, progress.done) == (False, model.size)


def test_a_model_in_parts_comes_with_what_it_sees_through(desk: Desk, hub: LoopbackHub) -> None:
    files = {
        "big-Q8_0-00001-of-00002.gguf": content(400_000, 1),
        "big-Q8_0-00002-of-00002.gguf": content(300_000, 2),
        "mmproj-big-F16.gguf": content(200_000, 3),
    }
    hub.add(MAKER, files)
    desk.downloads.begin()
    download = desk.add("Q8_0")
    assert download.size == 900_000
    desk.until(download, State.DONE)
    folder = desk.home / "models" / "maker" / "Model-GGUF"
    assert all(same(folder / name, each) for name, each in files.items())
    assert desk.arrived[0][0] == ""


def test_cut_two_hundred_times_it_arrives_and_nothing_comes_twice(desk: Desk, hub: LoopbackHub) -> None:
    chance, model = random.Random(3), content(18_000_000)
    hub.add(MAKER, {"model-Q4_K_M.gguf": model})
    hub.link_uses = 1  # each link expires with its first use
    most = [60_000] * 190 + [2_000_000] * 10  # where the next cut is, at the latest
    chance.shuffle(most)
    for at in most:
        kind = chance.choice(("cut", "cut", "cut", "refuse"))
        hub.faults.append(Fault(kind, at=chance.randint(at // 2, at), origin="cdn", times=1))
    desk.downloads.begin()
    download = desk.add()
    desk.until(download, State.DONE)
    (path,) = desk.arrived[0][1]
    assert same(path, model)
    asked = hub.of("cdn")
    assert len(asked) == 201
    assert len(hub.links) == 201
    # What the sender handed to the system before a cut may be lost on the way, and is sent again.
    twice = [first_byte(one) + one.sent - first_byte(other) for one, other in pairwise(asked)]
    assert 0 <= min(twice) <= max(twice) <= 1 << 20
    assert max(one.sent for one in asked) > 1 << 20
    assert desk.files() == ["maker/Model-GGUF/model-Q4_K_M.gguf"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("ignore_range", origin="cdn"),
        Fault("status", status=503, origin="cdn", times=3),
        Fault("status", status=429, headers={"Retry-After": "0"}, origin="hub", path="/resolve/", times=2),
        Fault("status", status=403, origin="cdn", times=1),
        Fault("range_lie", at=10, origin="cdn", times=1),
        Fault("wrong", at=1_000_000, origin="cdn", times=1),
        Fault("stall", at=100_000, origin="cdn", times=2),  # the connection stays, and no byte comes
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_troubles_that_pass_are_waited_out(desk: Desk, hub: LoopbackHub, fault: Fault) -> None:
    model = content()
    hub.add(MAKER, {"model-Q4_K_M.gguf": model})
    download = desk.add()
    hub.faults += [Fault("cut", at=700_000, origin="cdn", times=1), fault]
    desk.downloads.begin()
    ended = desk.until(download, State.DONE, State.FAILED)
    if fault.status == 403 and ended.state is State.FAILED:
        desk.downloads.resume(ended).result(30)
        ended = desk.until(download, State.DONE)
    assert ended.state is State.DONE, ended.problem
    assert same(desk.arrived[0][1][0], model)
    assert desk.files() == ["maker/Model-GGUF/model-Q4_K_M.gguf"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("wrong", at=1_000_000, origin="cdn"), "arrived damaged, twice"),
        (
            Fault("status", status=404, headers={"X-Error-Code": "EntryNotFound"}, path="/resolve/"),
            "is not at the hub",
        ),
        (Fault("size_lie", at=77, path="/api/"), "another size"),
        (Fault("hash_lie", path="/resolve/"), "was replaced while it was being downloaded"),
        (Fault("commit_lie", path="/resolve/"), "was replaced while it was being downloaded"),
        (
            Fault("status", status=401, headers={"X-Error-Code": "GatedRepo"}, path="/resolve/"),
            "wants to know who downloads it",
        ),
        (
            Fault("status", status=401, headers={"X-Error-Code": "RepoNotFound"}, path="/resolve/"),
            "There is no repository",
        ),
    ],
    ids=["wrong", "gone", "size", "content", "commit", "gated", "private"],
)
def test_troubles_that_stay_are_said(desk: Desk, hub: LoopbackHub, fault: Fault, words: str) -> None:
    hub.add(MAKER, {"model-Q4_K_M.gguf": content()})
    if fault.kind == "size_lie":
        hub.faults.append(fault)
    download = desk.add()
    hub.faults[:] = [fault] if fault.kind != "size_lie" else []
    desk.downloads.begin()
    failed = desk.until(download, State.FAILED, State.DONE)
    assert failed.state is State.FAILED
    assert words in failed.problem
    assert failed.hint
    desk.downloads.cancel(failed).result(30)
    wait_for(lambda: True if desk.files() == [] else None)


def test_a_file_that_is_replaced_after_it_was_listed_arrives_as_it_was(desk: Desk, hub: LoopbackHub) -> None:
    model = content()
    hub.add(MAKER, {"model-Q4_K_M.gguf": model})
    download = desk.add()
    hub.faults.append(Fault("cut", at=700_000, origin="cdn", times=1))
    hub.before = lambda request: (
        hub.push(MAKER, {"model-Q4_K_M.gguf": content(seed=9)}) if request.origin == "cdn" else None
    )
    desk.downloads.begin()
    desk.until(download, State.DONE)
    assert same(desk.arrived[0][1][0], model)


def test_a_file_whose_history_is_rewritten_on_the_way_says_so(desk: Desk, hub: LoopbackHub) -> None:
    hub.add(MAKER, {"model-Q4_K_M.gguf": content()})
    hub.faults.append(Fault("slow", rate=1_000_000, origin="cdn"))
    desk.downloads.begin()
    download = desk.add()
    desk.until_some(download, 100_000)
    desk.downloads.pause(download).result(30)
    hub.push(MAKER, {"model-Q4_K_M.gguf": content(seed=9)}, rewrite=True)
    desk.downloads.resume(download).result(30)
    failed = desk.until(download, State.FAILED)
    assert failed.problem == f"This version of “{MAKER}” is no longer there."
    assert failed.hint == "Choose the model anew."


@pytest.fixture
def disk(desk: Desk) -> Iterator[SmallDisk]:
    """Have the folder of models on a real disk of its own."""
    folder = desk.home / "models"
    folder.mkdir()
    with small_disk(folder, "4m") as disk:
        desk.downloads._folder = disk.root
        yield disk
        desk.downloads.close()


def test_a_disk_that_is_too_small_is_told_before_a_byte_comes(
    desk: Desk, hub: LoopbackHub, disk: SmallDisk
) -> None:
    hub.add(MAKER, {"model-Q4_K_M.gguf": content()})
    download = desk.add()
    asked = len(hub.requests)
    desk.downloads.begin()
    failed = desk.until(download, State.FAILED)
    assert "not enough room on the disk for" in failed.problem
    assert "2.0 GB are missing" in failed.problem
    assert "Make room" in failed.hint
    assert len(hub.requests) == asked


@pytest.mark.parametrize("watched", [False, True])
def test_a_disk_that_fills_up_on_the_way_is_told_and_nothing_is_lost(
    desk: Desk, hub: LoopbackHub, disk: SmallDisk, watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = 500_000 if watched else 0
    monkeypatch.setattr(transfer, "KEPT_FREE", reserve)
    monkeypatch.setattr(transfer, "_LOOK_EVERY", 100_000)
    model = content()
    hub.add(MAKER, {"model-Q4_K_M.gguf": model})
    slow = Fault("slow", rate=2_000_000, origin="cdn")
    hub.faults.append(slow)
    desk.downloads.begin()
    download = desk.add()
    desk.until_some(download, 400_000)
    disk.fill(leave=1_500_000 if watched else 0)
    failed = desk.until(download, State.FAILED)
    assert ("There is not enough room" if watched else "The disk is full.") in failed.problem
    assert "what has arrived is kept" in failed.hint
    assert disk.free >= reserve
    kept = desk.downloads.progress(failed).done
    assert kept >= 400_000
    disk.make_room()
    hub.faults.remove(slow)
    desk.downloads.resume(failed).result(30)
    desk.until(download, State.DONE)
    (path,) = desk.arrived[0][1]
    assert same(path, model)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert first_byte(hub.of("cdn")[-1]) == kept


def test_a_hub_that_cannot_be_asked_fails_the_downloads_and_not_the_queue(
    desk: Desk, hub: LoopbackHub
) -> None:
    hub.add(MAKER, {"model-Q4_K_M.gguf": content()})
    found = desk.discovery.look(MAKER).result(30)
    wanted = desk.discovery.wanted(found, desk.discovery.choose(found, ""))
    lost = [replace(wanted, repository=f"maker/Lost{n}") for n in range(2)]  # as many as are fetched at once
    sound = desk.hubs.settings()
    desk.hubs._store.set("hub", {"endpoint": "ftp://nowhere"}).result(30)
    failing = [desk.downloads.add(each).result(30) for each in lost]
    desk.downloads.begin()
    for each in failing:
        assert desk.until(each, State.FAILED).problem == "“ftp://nowhere” is not the address of a hub."
    desk.hubs.set_settings(sound)
    desk.until(desk.downloads.add(wanted).result(30), State.DONE)


def test_another_mirror_goes_on_where_the_first_one_died(desk: Desk, hub: LoopbackHub) -> None:
    model = content()
    with LoopbackHub() as other:
        for each in (hub, other):
            each.add(MAKER, {"model-Q4_K_M.gguf": model})
        hub.faults.append(Fault("slow", rate=1_000_000, origin="cdn"))
        desk.downloads.begin()
        download = desk.add()
        desk.until_some(download, 300_000)
        hub.go_dark()
        waiting = wait_for(lambda: told if (told := desk.downloads.progress(download)).next_try else None)
        assert waiting.reason == f"The mirror “{hub.endpoint}” cannot be reached."
        kept = waiting.done
        desk.hubs.set_settings(HubSettings(endpoint=other.endpoint))
        desk.until(download, State.DONE)
        assert same(desk.arrived[0][1][0], model)
        assert other.sent() == model.size - kept
        hub.come_back()


def test_a_lost_network_is_waited_for(desk: Desk, hub: LoopbackHub) -> None:
    model = content(6_000_000)
    hub.add(MAKER, {"model-Q4_K_M.gguf": model})
    hub.faults.append(Fault("slow", rate=4_000_000, origin="cdn", times=1))
    desk.downloads.begin()
    download = desk.add()
    desk.until_some(download, 500_000)
    with hub.darkness():
        wait_for(lambda: desk.downloads.progress(download).next_try)
    desk.until(download, State.DONE)
    assert same(desk.arrived[0][1][0], model)


def test_paused_it_stands_still_and_resumed_it_goes_on(desk: Desk, hub: LoopbackHub) -> None:
    model = content(3_000_000)
    hub.add(MAKER, {"model-Q4_K_M.gguf": model})
    slow = Fault("slow", rate=1_000_000, origin="cdn")
    hub.faults.append(slow)
    desk.downloads.begin()
    download = desk.add()
    desk.until_some(download, 100_000)
    asked = time.monotonic()
    desk.downloads.pause(download).result(30)
    assert time.monotonic() - asked < 0.5
    paused = desk.state(download)
    assert paused.state is State.PAUSED
    kept = desk.downloads.progress(paused).done
    assert kept > 100_000
    desk.downloads.resume(paused).result(30)
    seen = [desk.until_some(download, kept + 50_000) for _look in range(5)]
    assert max(each.bytes_per_second for each in seen) < 3_000_000  # what is here already did not just come
    hub.faults.remove(slow)
    desk.until(download, State.DONE)
    assert same(desk.arrived[0][1][0], model)
    assert f"bytes={kept}-" in [request.headers.get("range") for request in hub.of("cdn")]


def test_cancelled_on_a_slow_link_it_is_gone_at_once(desk: Desk, hub: LoopbackHub) -> None:
    hub.add(MAKER, {"model-Q4_K_M.gguf": content()})
    hub.faults.append(Fault("slow", rate=50_000, origin="cdn"))
    desk.downloads.begin()
    download = desk.add()
    desk.until_some(download)
    asked = time.monotonic()
    desk.downloads.cancel(download).result(30)
    assert time.monotonic() - asked < 0.2
    assert desk.downloads.refresh().result(30) == []
    wait_for(lambda: True if desk.files() == [] else None)


def test_quit_in_the_middle_it_goes_on_at_the_next_start(tmp_path: Path, hub: LoopbackHub) -> None:
    model = content(4_000_000)
    hub.add(MAKER, {"model-Q4_K_M.gguf": model})
    hub.faults.append(Fault("slow", rate=2_000_000, origin="cdn", times=1))
    first = Desk(tmp_path, hub.endpoint)
    first.downloads.begin()
    download = first.add()
    first.until_some(download, 300_000)
    first.close()
    second = Desk(tmp_path, hub.endpoint)
    second.downloads.begin()
    second.until(download, State.DONE)
    assert same(second.arrived[0][1][0], model)
    assert hub.sent() <= model.size + (1 << 20)
    second.close()


def test_two_at_a_time_in_their_order(desk: Desk, hub: LoopbackHub) -> None:
    names = [f"maker/Model{number}-GGUF" for number in range(4)]
    for number, name in enumerate(names):
        hub.add(name, {f"m{number}-Q4_K_M.gguf": content(600_000, number)})
    most, running, lock = 0, 0, threading.Lock()
    added = [desk.add(repository=name) for name in names]
    desk.downloads.move(added[3], before=added[0]).result(30)
    hub.faults.append(Fault("slow", rate=3_000_000, origin="cdn"))
    desk.downloads.begin()
    while any(each.state is State.WAITING for each in desk.downloads.refresh().result(30)):
        with lock:
            running = sum(desk.downloads.progress(each).running for each in added)
            most = max(most, running)
        time.sleep(0.01)
    assert most == 2
    order = [request.file for request in hub.of("cdn")]
    assert order[0].endswith("m3-Q4_K_M.gguf") or order[1].endswith("m3-Q4_K_M.gguf")
    assert len(desk.arrived) == 4


def test_two_models_may_share_a_file(desk: Desk, hub: LoopbackHub) -> None:
    eyes = content(400_000, 3)
    hub.add(
        MAKER,
        {"see-Q4_K_M.gguf": content(1000, 1), "see-Q8_0.gguf": content(1000, 2), "mmproj-see-F16.gguf": eyes},
    )
    hub.faults.append(Fault("slow", rate=1_000_000, origin="cdn", file="mmproj-see-F16.gguf"))
    added = [desk.add("Q4_K_M"), desk.add("Q8_0")]
    desk.downloads.begin()
    waiting = wait_for(
        lambda: next(
            (told for each in added if (told := desk.downloads.progress(each)).next_try is not None), None
        )
    )
    assert waiting.reason == "This file is being downloaded already."
    for each in added:
        desk.until(each, State.DONE)
    assert hub.sent("mmproj-see-F16.gguf") == eyes.size
    assert len(desk.files()) == 3


def test_moved_ones_take_turns_and_lose_nothing(tmp_path: Path, hub: LoopbackHub) -> None:
    names = [f"maker/Model{number}-GGUF" for number in range(4)]
    models = [content(2_000_000, number) for number in range(4)]
    for name, model in zip(names, models, strict=True):
        hub.add(name, {"m-Q4_K_M.gguf": model})
    slow = Fault("slow", rate=400_000, origin="cdn")
    hub.faults.append(slow)
    first = Desk(tmp_path, hub.endpoint)
    first.downloads.begin()
    added = [first.add(repository=name) for name in names]
    for each in added[:2]:
        first.until_some(each, 100_000)
    first.downloads.move(added[3], before=added[0]).result(30)
    first.until_some(added[3], 50_000)
    assert [first.downloads.progress(each).running for each in added] == [True, False, False, True]
    first.downloads.move(added[0], before=None).result(30)
    first.until_some(added[1], 100_000)  # next in order after the one that was moved
    order = [added[3].id, added[1].id, added[2].id, added[0].id]
    first.close()
    second = Desk(tmp_path, hub.endpoint)
    assert [each.id for each in second.downloads.refresh().result(30)] == order
    hub.faults.remove(slow)
    second.downloads.begin()
    for each in added:
        second.until(each, State.DONE)
    assert all(same(paths[0], models[int(paths[0].parent.name[5])]) for _sha256, paths in second.arrived)
    for name in names:
        asked = [request for request in hub.of("cdn") if request.file.startswith(name)]
        assert all(first_byte(one) <= first_byte(other) for one, other in pairwise(asked))
        assert sum(request.sent for request in asked) <= 2_000_000 + len(asked) * (1 << 20)
    second.close()


def test_what_is_here_already_is_not_fetched_again(desk: Desk, hub: LoopbackHub) -> None:
    model = content()
    hub.add(MAKER, {"model-Q4_K_M.gguf": model})
    desk.downloads.begin()
    desk.until(desk.add(), State.DONE)
    desk.until(desk.add(), State.DONE)
    wait_for(lambda: True if len(desk.arrived) == 2 else None)
    assert hub.sent() == model.size


def test_a_gated_model_wants_a_token(desk: Desk, hub: LoopbackHub) -> None:
    from app.domain.errors import UserError

    model = content()
    hub.add(MAKER, {"model-Q4_K_M.gguf": model}, gated="manual")
    with pytest.raises(UserError, match="wants to know who downloads it"):
        desk.add()
    desk.hubs.set_token(GOOD_TOKEN)
    desk.downloads.begin()
    desk.until(desk.add(), State.DONE)
    assert all("authorization" not in request.headers for request in hub.of("cdn"))


def test_another_copy_of_a_download_alone_needs_no_queue(desk: Desk, hub: LoopbackHub) -> None:
    model = content()
    hub.add(MAKER, {"model-Q4_K_M.gguf": model})
    download = desk.add()
    desk.downloads.fetch(download).result(30)
    desk.until(download, State.DONE)
    assert same(desk.arrived[0][1][0], model)


@pytest.mark.skipif(sys.platform == "win32", reason="has neither fork nor SIGKILL")
def test_killed_a_hundred_times_it_arrives_and_hardly_a_byte_comes_twice(
    tmp_path: Path, hub: LoopbackHub
) -> None:
    chance, model = random.Random(11), content(24_000_000)
    hub.add(MAKER, {"model-Q4_K_M.gguf": model})
    desk = Desk(tmp_path, hub.endpoint)
    download = desk.add()
    desk.close()
    script = str(Path(__file__).with_name("download_desk.py"))
    command = [sys.executable, script, str(tmp_path), hub.endpoint]
    part = tmp_path / "models" / "maker" / "Model-GGUF" / f"{model.sha256}.part"
    kills, sizes = 0, [0]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as forks:
        assert forks.stdin
        assert forks.stdout
        while True:
            forks.stdin.write("2000000\n" if kills < 100 else "0\n")
            forks.stdin.flush()
            child = int(forks.stdout.readline())
            if kills < 100:
                time.sleep(chance.uniform(0, 0.12))
                os.kill(child, signal.SIGKILL)
                kills += 1
            if int(forks.stdout.readline()) == 0:
                break
            sizes.append(part.stat().st_size if part.exists() else 0)
        forks.stdin.close()
    assert kills == 100
    assert sorted(sizes) == sizes  # what lay there is never fetched again
    assert {first_byte(request) for request in hub.of("cdn")} <= set(sizes)
    desk = Desk(tmp_path, hub.endpoint)
    assert desk.state(download).state is State.DONE
    assert desk.files() == ["maker/Model-GGUF/model-Q4_K_M.gguf"]
    assert same(tmp_path / "models" / desk.files()[0], model)
    assert hub.sent() <= model.size + kills * (1 << 20)
    desk.close()
