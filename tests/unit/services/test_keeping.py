"""What is set of the models in memory: kept between two starts, and told to the engine."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from scripted_engine import ScriptedEngine

from app.domain.changes import Changes
from app.domain.retention import Retention
from app.services.keeping import Keeping
from app.storage.database import Database
from app.storage.preferences import PreferenceStore


class Desk:
    def __init__(self, path: Path) -> None:
        self.database = Database(path / "chats.db")
        self.store = PreferenceStore(self.database)
        self.engine = ScriptedEngine(Changes(lambda call: call()))
        self.keeping = Keeping(self.store, self.engine)

    def wait(self, future: "Future[Any]") -> None:
        future.result(10)


def test_what_is_set_holds_at_once_and_after_the_next_start(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.wait(desk.keeping.set(Retention(5, two=False)))
    assert desk.engine.retention == desk.keeping.value == Retention(5, two=False)
    desk.database.close()
    again = Desk(tmp_path)
    again.wait(again.keeping.read())
    assert again.engine.retention == again.keeping.value == Retention(5, two=False)
    again.wait(again.keeping.set(Retention(None)))
    again.wait(again.keeping.read())
    assert again.keeping.value == Retention(None, two=True)
    again.database.close()


@pytest.mark.parametrize("found", [None, 7, [], {"idle_minutes": "15", "two": 1}, {"idle_minutes": -1}])
def test_what_makes_no_sense_was_never_set(tmp_path: Path, found: object) -> None:
    desk = Desk(tmp_path)
    desk.wait(desk.store.set("retention", found))
    desk.wait(desk.keeping.read())
    assert desk.engine.retention == Retention()
    desk.database.close()
