"""What is noted of each question to a hub: the hosts, how much came, how it ended, and nothing else."""

import pytest
from loopback_hub import GOOD_TOKEN, Fault, LoopbackHub, Whole
from loopback_proxy import LoopbackProxy

from models_registry.hub.client import Hub
from models_registry.hub.contacts import ContactLog
from models_registry.hub.errors import HubError
from models_registry.hub.search import Query

NAME, PATH = "maker/Secret-Name-GGUF", "model-Q4_0.gguf"
SIZE = 3 << 20


@pytest.fixture
def log() -> ContactLog:
    return ContactLog()


@pytest.fixture
def hub():
    with LoopbackHub() as made:
        yield made


def host(address: str) -> str:
    return address.partition("://")[2]


def notes(log: ContactLog) -> list[tuple[str, str, int, str]]:
    return [(each.host, each.purpose, each.received, each.outcome) for each in log.known()]


def test_a_file_is_noted_with_every_host_that_it_comes_from(hub, log):
    commit = hub.add(NAME, {PATH: Whole(bytes(SIZE))}).branches["main"]
    with Hub(hub.endpoint, contacts=log) as client, client.open(NAME, commit, PATH) as source:
        chunks = source.chunks()
        first = next(chunks)
        assert notes(log)[-1] == (host(hub.cdn), "file", len(first), "")
        assert len(first) + sum(map(len, chunks)) == SIZE
    assert notes(log)[-1] == (host(hub.cdn), "file", SIZE, "done")
    assert {each[:2] + each[3:] for each in notes(log)[:-1]} == {(host(hub.endpoint), "file", "led_on")}


def test_what_is_asked_for_is_noted_and_no_word_of_it(hub, log):
    hub.add(NAME, {PATH: Whole(bytes(100)), "README.md": b"# Hello"})
    with Hub(hub.endpoint, GOOD_TOKEN, token_for_mirror=True, contacts=log) as client:
        next(client.search(Query("a private wish")))
        client.card(client.repository(NAME))
        client.test_connection()
    assert notes(log)[0][1] == "search"
    assert {each[1] for each in notes(log)} == {"search", "page", "test"}
    assert all(each[2] > 0 and each[3] == "done" for each in notes(log))
    told = repr(log.known())
    assert not any(word in told for word in ("wish", "Secret", GOOD_TOKEN, PATH, "/"))


def test_why_nothing_came_is_noted(hub, log):
    commit = hub.add(NAME, {PATH: Whole(bytes(SIZE))}).branches["main"]
    with Hub(hub.endpoint, "hf_wrong", token_for_mirror=True, contacts=log) as client:
        with pytest.raises(HubError):
            client.test_connection()
        assert notes(log)[-1][1:] == ("test", notes(log)[-1][2], "bad_token")
    with Hub(hub.endpoint, contacts=log) as client, pytest.raises(HubError):
        client.repository("maker/Missing")
    assert notes(log)[-1][3] == "not_found"
    hub.faults.append(Fault("cut", at=70_000))
    with Hub(hub.endpoint, contacts=log) as client, client.open(NAME, commit, PATH) as source:
        with pytest.raises(HubError):
            list(source.chunks())
        assert notes(log)[-1][3] == "offline"
    with Hub("http://127.0.0.1:9", contacts=log) as client, pytest.raises(HubError):
        client.test_connection()
    assert notes(log)[-1] == ("127.0.0.1:9", "test", 0, "offline")
    with LoopbackProxy() as proxy:
        proxy.refuses = True
        client = Hub(hub.endpoint, proxy=f"http://{proxy.address}", contacts=log)
        with client, pytest.raises(HubError):
            client.test_connection()
    assert notes(log)[-1][1:] == ("test", 0, "proxy")


def test_a_stop_is_noted(hub, log):
    commit = hub.add(NAME, {PATH: Whole(bytes(SIZE))}).branches["main"]
    with Hub(hub.endpoint, contacts=log) as client:
        with client.open(NAME, commit, PATH) as source:
            next(source.chunks())
        assert notes(log)[-1][3] == "stopped"


def test_of_many_the_last_are_kept(log):
    for number in range(1500):
        log.visit("page").reach(f"https://host-{number}.example/x?q=1")
    assert len(log.known()) == 1000
    assert log.known()[-1].host == "host-1499.example"
    assert all(each.outcome == "" for each in log.known())


def test_whoever_listens_is_told_of_each_beginning_and_end():
    told = []
    log = ContactLog(lambda contact: told.append((contact.host, contact.outcome)))
    with log.visit("page") as visit:
        visit.reach("https://a.example:443/1")
        visit.reach("http://b.example:8080/2")
        visit.end("done")
        visit.end("stopped")
    assert told == [
        ("a.example", ""),
        ("a.example", "led_on"),
        ("b.example:8080", ""),
        ("b.example:8080", "done"),
    ]
