"""The hub as a person set it: kept, refused when it makes no sense, given a token only where it may."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.services.hubs import Hubs, HubSettings
from app.storage.database import Database
from app.storage.preferences import PreferenceStore

TOKEN = "hf_secret"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "chats.db")
    yield database
    database.close()


def started(database: Database) -> Hubs:
    return Hubs(PreferenceStore(database))


def test_what_is_set_is_there_at_the_next_start(database: Database) -> None:
    wanted = HubSettings("https://mirror.example", "socks5://127.0.0.1:1080", token_for_mirror=True)
    started(database).set_settings(wanted)
    assert started(database).settings() == wanted


@pytest.mark.parametrize("endpoint", ["not an address", "ftp://mirror.example", "https://a b"])
def test_what_is_no_address_changes_nothing(database: Database, endpoint: str) -> None:
    hubs = started(database)
    with pytest.raises(UserError, match="is not the address of a hub"):
        hubs.set_settings(HubSettings(endpoint))
    assert hubs.settings() == HubSettings()


@pytest.mark.parametrize("written", [None, 5, [], {"endpoint": None}, {"token_for_mirror": "yes"}])
def test_what_cannot_be_read_counts_as_never_set(database: Database, written: object) -> None:
    PreferenceStore(database).set("hub", written).result(10)
    assert started(database).settings() == HubSettings()


def test_without_a_keyring_a_token_lasts_until_the_end(database: Database) -> None:
    hubs = started(database)
    assert not hubs.set_token(TOKEN)
    assert hubs.token() == TOKEN
    assert started(database).token() == ""
    assert hubs.set_token("")
    assert hubs.token() == ""


def test_the_token_goes_to_a_mirror_only_when_it_may(database: Database) -> None:
    hubs = started(database)
    hubs.set_token(TOKEN)
    assert hubs.hub().sends_token
    hubs.set_settings(HubSettings("https://mirror.example"))
    assert not hubs.hub().sends_token
    hubs.set_settings(HubSettings("https://mirror.example", token_for_mirror=True))
    assert hubs.hub().sends_token
    hubs.set_settings(HubSettings("http://mirror.example", token_for_mirror=True))  # readable on the way
    assert not hubs.hub().sends_token
    hubs.close()


def test_the_same_settings_share_one_connection(database: Database) -> None:
    hubs = started(database)
    assert hubs.hub() is hubs.hub()
    before = hubs.hub()
    hubs.set_settings(HubSettings("https://mirror.example"))
    assert hubs.hub() is not before
    hubs.close()


def test_no_token_lies_in_the_database(database: Database, tmp_path: Path) -> None:
    hubs = started(database)
    hubs.set_token(TOKEN)
    hubs.set_settings(HubSettings("https://mirror.example"))
    database.close()
    assert all(TOKEN.encode() not in path.read_bytes() for path in tmp_path.iterdir())
