"""How the hub is reached: kept, refused without a change, and tried against a hub that is there or is not."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from loopback_hub import GOOD_TOKEN, LoopbackHub, Request
from loopback_proxy import LoopbackProxy

from app.domain.changes import Changed, Changes, Kind
from app.domain.contact_words import is_trouble, outcome_words, purpose_words
from app.domain.errors import UserError
from app.services.contacts import Contacts, Purpose
from app.services.hubs import Hubs
from app.services.network import Network, Reach
from app.storage.contact_file import ContactFile
from app.storage.database import Database
from app.storage.preferences import PreferenceStore
from models_registry.hub.errors import HubProblem
from models_registry.transfer import Throttle


class Desk:
    """One start over the same folder."""

    def __init__(self, home: Path) -> None:
        self.changes: list[Changed] = []
        changes = Changes(lambda call: call())
        changes.subscribe(self.changes.append)
        self.database = Database(home / "chats.db")
        self.contacts = Contacts(ContactFile(home / "network.jsonl"), changes)
        self.hubs = Hubs(PreferenceStore(self.database), self.contacts.log)
        self.throttle = Throttle()
        self.network = Network(self.hubs, PreferenceStore(self.database), self.throttle)

    def change(self, **values: Any) -> Reach:
        return self.network.change(**values).result(10)

    def hosts(self) -> list[tuple[str, str]]:
        return [(each.host, each.outcome) for each in self.contacts.known()]

    def close(self) -> None:
        self.network.close()
        self.contacts.close()
        self.hubs.close()
        self.database.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Desk]]:
    desks: list[Desk] = []

    def begin() -> Desk:
        desks.append(Desk(tmp_path))
        return desks[-1]

    yield begin
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(start: Callable[[], Desk]) -> Desk:
    return start()


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub() as made:
        yield made
        assert made.trapped == []
        assert made.violations == []


def refused(future: "Future[Any]") -> UserError:
    error = future.exception(20)
    assert isinstance(error, UserError)
    return error


def test_what_is_set_is_there_after_the_next_start(start: Callable[[], Desk]) -> None:
    desk = start()
    assert desk.change(proxy="127.0.0.1:1080").settings.proxy == "http://127.0.0.1:1080"
    assert desk.change(proxy="socks5h://127.0.0.1:1080/").settings.proxy == "socks5h://127.0.0.1:1080"
    assert desk.network.set_limit(5_000_000).result(10).limit == 5_000_000
    assert desk.throttle.limit == 5_000_000
    again = start()
    again.network.begin().result(10)
    assert again.throttle.limit == 5_000_000
    assert again.network.read().result(10).settings.proxy == "socks5h://127.0.0.1:1080"


@pytest.mark.parametrize(
    "proxy", ["socks4://a:1", "nonsense://x", "http://", "a b:1", "http://a:99999", "http://a:1/path"]
)
def test_what_is_no_proxy_changes_nothing(desk: Desk, proxy: str) -> None:
    desk.change(proxy="http://here:8080")
    assert "is not the address of a proxy" in refused(desk.network.change(proxy=proxy)).message
    assert desk.network.read().result(10).settings.proxy == "http://here:8080"


@pytest.mark.parametrize("token", ["two words", "é", "a\nb"])
def test_what_is_no_token_changes_nothing(desk: Desk, token: str) -> None:
    desk.network.set_token(GOOD_TOKEN).result(10)
    assert "is not an access token" in refused(desk.network.set_token(token)).message
    assert desk.hubs.token() == GOOD_TOKEN


def test_of_a_token_only_its_end_is_shown(desk: Desk) -> None:
    long = "hf_abcdefghijklmnopqrstuvwxyz"
    token = desk.network.set_token(long).result(10).token
    assert token is not None
    assert (token.ending, token.lasting) == ("wxyz", False)  # no keyring here
    short = desk.network.set_token("hf_short").result(10).token
    assert short is not None
    assert short.ending == ""
    assert desk.network.set_token("").result(10).token is None


def test_a_token_in_the_keyring_outlives_the_start(
    start: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[tuple[str, str], str] = {}
    monkeypatch.setattr("keyring.get_password", lambda *names: kept.get(names))
    monkeypatch.setattr("keyring.set_password", lambda *names: kept.update({names[:2]: names[2]}))
    monkeypatch.setattr("keyring.delete_password", lambda *names: kept.pop(names))
    for token in (start().network.set_token(GOOD_TOKEN).result(10).token, start().hubs.token_state()):
        assert token is not None
        assert token.lasting
    assert start().network.set_token("").result(10).token is None
    assert kept == {}


def test_consent_is_for_one_mirror(desk: Desk) -> None:
    desk.network.set_token(GOOD_TOKEN).result(10)
    reach = desk.change(endpoint="https://one.example", token_for_mirror=True)
    assert reach.sends_token
    assert not desk.change(endpoint="https://two.example").settings.token_for_mirror
    assert desk.change(token_for_mirror=True).sends_token


def test_a_hub_that_answers(desk: Desk, hub: LoopbackHub) -> None:
    desk.change(endpoint=hub.endpoint)
    connection = desk.network.test().answer.result(20)
    assert (connection.endpoint, connection.user) == (hub.endpoint, "")
    desk.network.set_token(GOOD_TOKEN)
    assert desk.network.test().answer.result(20).user == ""  # it is a mirror, and nobody said that it may
    desk.change(token_for_mirror=True)
    assert desk.network.test().answer.result(20).user == "ada"
    assert set(desk.hosts()) == {(hub.endpoint.removeprefix("http://"), "done")}


def test_a_hub_that_does_not_answer(desk: Desk, hub: LoopbackHub) -> None:
    desk.change(endpoint=hub.endpoint)
    with hub.darkness():
        error = refused(desk.network.test().answer)
    assert hub.endpoint in error.message
    assert error.hint
    desk.change(token_for_mirror=True)
    desk.network.set_token("hf_of_nobody")
    assert "does not accept your access token" in refused(desk.network.test().answer).message
    with LoopbackProxy() as proxy:
        proxy.refuses = True
        desk.change(proxy=proxy.address)
        assert "The proxy does not work" in refused(desk.network.test().answer).message
    assert [outcome for _host, outcome in desk.hosts()] == ["offline", "bad_token", "proxy"]


def test_a_test_can_be_given_up_at_once(desk: Desk, hub: LoopbackHub) -> None:
    desk.change(endpoint=hub.endpoint)
    asked, go_on = Event(), Event()

    def hold(_request: Request) -> None:
        asked.set()
        go_on.wait(10)

    hub.before = hold
    attempt = desk.network.test()
    assert asked.wait(10)
    attempt.cancel()
    with pytest.raises(CancelledError):
        attempt.answer.result(1)
    hub.before = None
    assert desk.network.test().answer.result(20).endpoint == hub.endpoint
    go_on.set()


def test_contacts_outlive_the_start(start: Callable[[], Desk], hub: LoopbackHub, tmp_path: Path) -> None:
    desk = start()
    desk.change(endpoint=hub.endpoint)
    desk.network.test().answer.result(20)
    assert [change.kind for change in desk.changes] == [Kind.NETWORK] * 2
    assert desk.contacts.earlier().result(10) == []  # they are those of this run
    with (tmp_path / "network.jsonl").open("a") as file:
        file.write('{"half a li\n[]\n{"began": "never", "host": "x", "purpose": "page"}\n')
    again = start()
    assert again.contacts.known() == ()
    (contact,) = again.contacts.earlier().result(10)
    assert (contact.host, contact.purpose, contact.outcome) == (desk.hosts()[0][0], Purpose.TEST, "done")
    assert contact.received > 0
    kept = json.loads((tmp_path / "network.jsonl").read_text().splitlines()[0])
    assert set(kept) == {"began", "host", "purpose", "received", "outcome"}


def test_the_file_of_contacts_stays_small(tmp_path: Path) -> None:
    file = ContactFile(tmp_path / "network.jsonl")
    for number in range(5000):
        file.append({"number": number, "host": "a.example"})
    kept = [entry["number"] for entry in file.entries()]
    assert kept == list(range(kept[0], 5000))
    assert len(kept) > 1000
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 140_000


def test_where_nothing_can_be_written_nothing_fails(tmp_path: Path) -> None:
    file = ContactFile(tmp_path / "missing" / "network.jsonl")
    file.append({"number": 1})
    assert file.entries() == []


def test_every_outcome_has_words() -> None:
    assert all(purpose_words(purpose) for purpose in Purpose)
    assert all(outcome_words(problem) and is_trouble(problem) for problem in HubProblem)
    assert outcome_words("done") == ""
    assert not any(map(is_trouble, ("", "done", "led_on", "stopped")))
