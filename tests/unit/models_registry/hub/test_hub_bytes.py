"""The bytes that a hub sends: from any one on, known when they are not the right ones, ended at once."""

import io
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path

import pytest
from gguf_writer import Tensor, model, write_shards
from hypothesis import given
from hypothesis import strategies as st
from loopback_hub import GOOD_TOKEN, Fault, Seeded

from models_registry.errors import ModelFileError, Problem
from models_registry.gguf import read_header
from models_registry.hub.client import Hub
from models_registry.hub.errors import HubError, HubProblem
from models_registry.hub.remote_header import RangeFile

NAME, PATH = "maker/Model-GGUF", "sub/Model-Q4_0.gguf"
MIB = 1 << 20


@pytest.fixture
def content():
    return Seeded(5 * MIB + 12_345)


@pytest.fixture
def commit(hub, content):
    return hub.add(NAME, {PATH: content, "small.gguf": b"0123456789", "README.md": b"Hello"}).head


def received(content, start, stop=None):
    return b"".join(content.slices(start, content.size if stop is None else stop))


def begin(source):
    return source.total


def problem(caught):
    return caught.value.problem


@pytest.mark.parametrize("start", [0, 1, MIB, 5 * MIB + 12_344])
def test_a_file_comes_from_any_byte_on(hub, client, commit, content, start):
    with client.open(NAME, commit, PATH, start) as source:
        assert (source.start, source.total) == (start, content.size)
        assert source.etag == content.sha256
        chunks = list(source.chunks())
    assert b"".join(chunks) == received(content, start)
    assert max(map(len, chunks)) <= 256 << 10
    assert hub.sent() == content.size - start


def test_a_small_file_comes_from_the_hub_itself(hub, client, commit):
    with client.open(NAME, commit, "README.md", 2) as source:
        assert (b"".join(source.chunks()), source.start, source.total) == (b"llo", 2, 5)
    assert not hub.of("cdn")


def test_a_server_that_cannot_begin_elsewhere_is_told_by_the_start(hub, client, commit, content):
    hub.faults.append(Fault("ignore_range"))
    with client.open(NAME, commit, PATH, 77) as source:
        assert (source.start, source.total) == (0, content.size)
        assert b"".join(source.chunks()) == received(content, 0)


def test_each_opening_gets_a_link_of_its_own(hub, client, commit):
    hub.link_uses = 1
    for _ in range(3):
        with client.open(NAME, commit, "small.gguf") as source:
            assert b"".join(source.chunks()) == b"0123456789"


@pytest.mark.parametrize("at", [0, 1, 3000, MIB + 1, 4 * MIB])
def test_what_came_before_a_cut_is_given_and_the_cut_is_known(hub, client, commit, content, at):
    hub.faults.append(Fault("cut", at=at, origin="cdn"))
    with client.open(NAME, commit, PATH) as source:
        came = bytearray()
        with pytest.raises(HubError) as caught:
            deque(map(came.extend, source.chunks()), maxlen=0)
    assert problem(caught) is HubProblem.OFFLINE
    assert bytes(came) == received(content, 0, at)


def test_a_lost_network_is_known(hub, client, commit):
    hub.faults.append(Fault("slow", rate=200_000))
    with client.open(NAME, commit, PATH) as source:
        chunks = source.chunks()
        next(chunks)
        hub.go_dark()
        with pytest.raises(HubError) as caught:
            list(chunks)
    assert problem(caught) is HubProblem.OFFLINE


@pytest.mark.parametrize("at", [10, 2 * MIB])
def test_nothing_is_waited_for_longer_than_agreed(hub, commit, at):
    hub.faults.append(Fault("stall", at=at, origin="cdn"))
    with Hub(hub.endpoint, patience=0.1) as client, client.open(NAME, commit, PATH) as source:
        began = time.monotonic()
        with pytest.raises(HubError) as caught:
            list(source.chunks())
    assert problem(caught) is HubProblem.TIMEOUT
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "fault", [Fault("slow", rate=50_000), Fault("stall", at=10), Fault("stall", at=2 * MIB)]
)
def test_another_thread_ends_it_at_once(hub, client, commit, fault):
    hub.faults.append(fault)
    closed = []

    def close():
        time.sleep(0.1)
        closed.append(time.monotonic())
        source.close()

    with client.open(NAME, commit, PATH) as source:
        closer = threading.Thread(target=close)
        closer.start()
        for _ in source.chunks():
            pass
        waited = time.monotonic() - closed[0]
        closer.join()
    assert waited < 0.2
    source.close()  # once more does no harm


def test_another_thread_ends_the_wait_for_the_answer_at_once(hub, client, commit):
    hub.before = lambda _: hub.closing.wait(5)
    source = client.open(NAME, commit, PATH)
    threading.Timer(0.1, source.close).start()
    began = time.monotonic()
    with pytest.raises(HubError):
        begin(source)
    assert list(source.chunks()) == []
    assert time.monotonic() - began < 0.3
    assert len(hub.requests) == 1


def test_nothing_is_sent_before_it_is_wanted(hub, client, commit):
    with client.open(NAME, commit, PATH):
        pass
    with client.open(NAME, commit, PATH) as source:
        source.close()
        assert list(source.chunks()) == []
    assert not hub.requests


def test_it_may_be_closed_before_anything_is_read(client, commit):
    source = client.open(NAME, commit, PATH)
    closer = threading.Thread(target=source.close)
    closer.start()
    closer.join()
    assert len(b"".join(source.chunks())) <= 256 << 10
    source.close()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("status", status=403, origin="cdn"), HubProblem.SERVER),
        (Fault("status", status=503, origin="cdn"), HubProblem.SERVER),
        (Fault("status", status=429, origin="cdn"), HubProblem.RATE_LIMITED),
        (Fault("status", status=404, origin="cdn"), HubProblem.NOT_FOUND),
        (Fault("refuse", origin="cdn"), HubProblem.OFFLINE),
        (Fault("redirect_loop"), HubProblem.ANSWER),
        (Fault("nonsense", origin="hub"), HubProblem.ANSWER),
        (Fault("status", status=204, origin="cdn"), HubProblem.ANSWER),
        (Fault("status", status=200, headers={"Content-Encoding": "gzip"}, origin="cdn"), HubProblem.ANSWER),
        (
            Fault("status", status=206, headers={"Content-Range": "bytes 0-9/10"}, origin="cdn"),
            HubProblem.ANSWER,
        ),
        (
            Fault("status", status=206, headers={"Content-Range": "items 7/7"}, origin="cdn"),
            HubProblem.ANSWER,
        ),
        (Fault("status", status=416, origin="cdn"), HubProblem.CHANGED),
    ],
)
def test_what_is_not_the_bytes_is_known_before_they_are_taken(hub, client, commit, fault, expected):
    hub.faults.append(fault)
    with pytest.raises(HubError) as caught:
        begin(client.open(NAME, commit, PATH, 5))
    assert problem(caught) is expected
    if expected is HubProblem.CHANGED:
        assert caught.value.subject == PATH


def test_a_403_of_the_second_origin_does_not_blame_the_token(hub, commit):
    hub.faults.append(Fault("status", status=403, origin="cdn"))
    with (
        Hub(hub.endpoint, GOOD_TOKEN, token_for_mirror=True) as client,
        pytest.raises(HubError) as caught,
    ):
        begin(client.open(NAME, commit, PATH))
    assert (problem(caught), caught.value.status) == (HubProblem.SERVER, 403)


def test_a_file_or_a_commit_that_is_gone_is_named(hub, client, commit):
    with pytest.raises(HubError) as caught:
        begin(client.open(NAME, commit, "missing.gguf"))
    assert (problem(caught), caught.value.subject) == (HubProblem.NO_SUCH_FILE, "missing.gguf")
    hub.push(NAME, {PATH: b"other"}, rewrite=True)
    with pytest.raises(HubError) as caught:
        begin(client.open(NAME, commit, PATH))
    assert (problem(caught), caught.value.subject) == (HubProblem.NO_SUCH_REVISION, NAME)


def test_a_commit_asked_for_stays_that_commit(hub, client, commit, content):
    """Between the listing and the bytes the repository is given other files under the same names."""
    hub.push(NAME, {PATH: b"other"})
    with client.open(NAME, commit, PATH) as source:
        assert source.total == content.size
    with pytest.raises(HubError) as caught:
        # a server that answers with another commit than the one asked for
        begin(client.open(NAME, "main", PATH))
    assert problem(caught) is HubProblem.CHANGED


def test_a_link_says_what_the_hub_has_now(hub, client, commit, content):
    link = client.link(NAME, commit, PATH)
    assert (link.commit, link.etag, link.size) == (commit, content.sha256, content.size)
    assert link.url.startswith(hub.endpoint)
    hub.faults += [Fault("size_lie", at=7), Fault("hash_lie")]
    assert client.link(NAME, commit, PATH).size == content.size + 7
    assert client.link(NAME, commit, PATH).etag == "f" * 64


# Headers


def fetched(hub, client, files):
    """Add a repository of these files; return its only model's header and how many bytes that took."""
    hub.add(NAME, files)
    repository = client.repository(NAME)
    before = hub.sent()
    header = client.header(repository, repository.choose())
    return header, hub.sent() - before


@pytest.mark.parametrize("name", ["smollm2", "gemma"])
def test_a_header_is_the_same_without_the_file(hub, client, request, name):
    path = request.getfixturevalue(name)
    local = read_header(path)
    header, taken = fetched(hub, client, {f"sub/{path.name}": path})
    assert header == replace(local, path=Path("sub", path.name), parts=(Path("sub", path.name),))
    assert (header.name, header.quantization, header.context_length) == (
        local.name,
        local.quantization,
        local.context_length,
    )
    assert taken < path.stat().st_size / 20


def test_all_files_of_a_split_model_are_looked_into(hub, client, tmp_path):
    paths = write_shards(tmp_path, "tiny-F16", total=3)
    local = read_header(paths[0])
    header, taken = fetched(hub, client, {path.name: path for path in paths})
    assert [str(part) for part in header.parts] == [path.name for path in paths]
    assert header.tensors == local.tensors
    assert (header.metadata, header.file_size) == (local.metadata, local.file_size)
    assert taken == local.file_size
    assert len(hub.of("cdn")) == 3


def test_a_header_is_followed_past_what_is_fetched_first(hub, client):
    long = ("str", "x" * 3_000_000)
    content = model({"a.note": long}, tensors=[Tensor(size=256)]).encode()
    header, taken = fetched(hub, client, {"m-F16.gguf": Seeded(50 * MIB, head=content)})
    assert header.metadata["a.note"] == long[1]
    assert len(long[1]) < taken < 2 * len(long[1]) + MIB


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"<html>" * 1000, Problem.NOT_GGUF),
        (model().encode()[:-100], Problem.TRUNCATED),
        (model({"general.architecture": ("str", "clip")}).encode(), Problem.PROJECTOR),
        (b"GGUF", Problem.TRUNCATED),
    ],
)
def test_a_file_that_is_no_model_is_known_before_it_is_fetched(hub, client, content, expected):
    with pytest.raises(ModelFileError) as caught:
        fetched(hub, client, {"m-F16.gguf": content})
    assert caught.value.problem is expected


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("status", status=503, origin="cdn"), HubProblem.SERVER),
        (Fault("cut", at=100, origin="cdn"), HubProblem.OFFLINE),
        (Fault("size_lie", at=7), HubProblem.CHANGED),
    ],
)
def test_a_header_that_does_not_come_says_why(hub, client, fault, expected):
    hub.faults.append(fault)
    with pytest.raises(HubError) as caught:
        fetched(hub, client, {"m-F16.gguf": model().encode()})
    assert problem(caught) is expected


def test_a_header_comes_from_a_server_that_cannot_begin_elsewhere(hub, client, smollm2):
    hub.faults.append(Fault("ignore_range"))
    header, _ = fetched(hub, client, {smollm2.name: smollm2})
    assert header.tensors == read_header(smollm2).tensors


def test_a_header_that_nobody_wants_any_more_is_not_fetched(hub, client, commit, content):
    repository = client.repository(NAME)
    variant = repository.choose(PATH)
    answers = iter([False, False, True])
    assert client.header(repository, variant, lambda: True) is None
    assert client.header(repository, variant, lambda: next(answers, True)) is None
    assert len(hub.of("cdn")) == 1


SIZE = 5000


@given(
    st.lists(st.tuples(st.integers(0, SIZE + 10), st.integers(0, 700)), max_size=12),
    st.integers(1, 400),
)
def test_ranges_read_like_the_file(reads, step):
    whole = bytes(range(256)) * (SIZE // 256) + bytes(SIZE % 256)
    plain = io.BytesIO(whole)

    def fetch(start, stop):
        assert 0 <= start < stop <= SIZE
        return whole[start:stop]

    file = RangeFile(SIZE, fetch, step)
    assert file.seek(0, io.SEEK_END) == SIZE
    for place, count in [(0, 10), *reads]:
        assert file.seek(place) == plain.seek(place)
        assert file.read(count) == plain.read(count)
