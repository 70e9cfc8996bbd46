"""Values of the whole app by key."""

from storage_parts import get

from app.storage import preferences
from app.storage.database import Database
from app.storage.preferences import Preferences


def test_what_is_set_is_there_at_the_next_start(tmp_path) -> None:
    path = tmp_path / "chats.db"
    first = Database(path)
    kept = Preferences(first)
    kept.set(preferences.SETTINGS, {"temperature": 0.5, "seed": None})
    kept.set(preferences.THEME, "light")
    kept.set(preferences.THEME, "dark")
    first.close()
    second = Database(path)
    kept = Preferences(second)
    assert get(kept.get(preferences.SETTINGS)) == {"temperature": 0.5, "seed": None}
    assert get(kept.get(preferences.THEME)) == "dark"
    assert get(kept.get(preferences.SCALE, 1.0)) == 1.0
    second.close()


def test_a_value_that_cannot_be_read_counts_as_never_set(database: Database) -> None:
    get(database.write(lambda db: db.table("preferences").insert({"key": "theme", "value": "{"})))
    assert get(Preferences(database).get(preferences.THEME, "system")) == "system"
