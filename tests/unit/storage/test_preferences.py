"""Values of the whole app by key."""

from storage_parts import get

from app.storage.database import Database
from app.storage.preferences import PreferenceStore


def test_what_is_set_is_there_at_the_next_start(tmp_path) -> None:
    path = tmp_path / "chats.db"
    first = Database(path)
    kept = PreferenceStore(first)
    kept.set("settings", {"temperature": 0.5, "seed": None})
    kept.set("theme", "light")
    kept.set("theme", "dark")
    first.close()
    second = Database(path)
    kept = PreferenceStore(second)
    assert get(kept.get("settings")) == {"temperature": 0.5, "seed": None}
    assert get(kept.get("theme")) == "dark"
    assert get(kept.get("scale", 1.0)) == 1.0
    second.close()


def test_a_value_that_cannot_be_read_counts_as_never_set(database: Database) -> None:
    get(database.write(lambda db: db.table("preferences").insert({"key": "theme", "value": "{"})))
    assert get(PreferenceStore(database).get("theme", "system")) == "system"
