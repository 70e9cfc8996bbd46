"""What is set for each model, in a real database."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.choices import Choices
from app.domain.errors import UserError
from app.domain.loading import Adapter, LoadOptions
from app.domain.model import Model, Origin
from app.domain.settings import Settings
from app.services.choices import ModelChoices
from app.storage.database import Database
from app.storage.preferences import PreferenceStore

FOX = Model(Path("/models/fox.gguf"), "Fox", Origin.OWN, 1, sha256="f0")
OWL = Model(Path("/models/owl.gguf"), "Owl", Origin.OWN, 1)
WARM = Choices(
    Settings(temperature=1.2, logit_bias=(("fox", -5.0), (7, 2.0))),
    LoadOptions(kv_type="q8_0", threads=3),
    (Adapter(Path("/models/tail.gguf"), 0.5),),
)


@pytest.fixture
def database(tmp_path):
    made = Database(tmp_path / "chats.db")
    yield made
    made.close()


def started(database) -> ModelChoices:
    choices = ModelChoices(PreferenceStore(database))
    assert not choices.known
    choices.read().result(10)
    assert choices.known
    return choices


def test_what_is_set_holds_for_this_model_and_after_a_restart(database):
    choices = started(database)
    choices.keep(FOX, WARM).result(10)
    assert choices.of(FOX) == WARM
    assert choices.of(OWL) == Choices()
    again = started(database)
    assert again.of(FOX) == WARM
    assert again.of(replace(FOX, path=Path("/elsewhere/fox.gguf"))) == WARM


def test_a_model_is_known_by_its_path_until_its_hash_is_there(database):
    choices = started(database)
    choices.keep(OWL, WARM).result(10)
    hashed = replace(OWL, sha256="0e")
    assert choices.of(hashed) == WARM
    choices.change(hashed, lambda now: replace(now, adapters=())).result(10)
    again = started(database)
    assert again.of(hashed) == replace(WARM, adapters=())
    assert again.of(OWL) == Choices()


def test_what_is_back_to_usual_leaves_nothing_behind(database):
    choices = started(database)
    choices.keep(FOX, WARM).result(10)
    choices.keep(FOX, Choices()).result(10)
    assert PreferenceStore(database).get("choices").result(10) == {}


def test_what_is_out_of_range_is_not_kept(database):
    choices = started(database)
    choices.keep(FOX, WARM).result(10)
    with pytest.raises(UserError, match="temperature must be between"):
        choices.keep(FOX, Choices(Settings(temperature=9)))
    assert choices.of(FOX) == started(database).of(FOX) == WARM


@pytest.mark.parametrize("written", [[1], "x", None, {"f0": 5}, {"f0": {"settings": {"top_k": "many"}}}])
def test_what_cannot_be_read_counts_as_never_set(database, written):
    PreferenceStore(database).set("choices", written).result(10)
    assert started(database).of(FOX) == Choices()


def test_what_is_dropped_is_named_in_the_log_without_its_value(database, caplog, monkeypatch):
    PreferenceStore(database).set("choices", {"f0": {"settings": {"grammar": 5, "top_k": 3}}}).result(10)
    monkeypatch.setattr(logging.getLogger("fireside"), "propagate", True)
    with caplog.at_level(logging.WARNING, "fireside.choices"):
        assert started(database).of(FOX) == Choices(Settings(top_k=3))
    assert [record.getMessage() for record in caplog.records] == [
        "Not kept of what was set for a model: grammar"
    ]


def test_a_database_that_cannot_be_read_sets_nothing(tmp_path):
    (tmp_path / "chats.db").write_bytes(b"no database" * 1000)
    database = Database(tmp_path / "chats.db")
    choices = ModelChoices(PreferenceStore(database))
    choices.read().result(10)
    assert choices.known
    assert choices.of(FOX) == Choices()
    database.close()
