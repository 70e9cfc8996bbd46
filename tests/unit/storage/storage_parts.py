"""What the tests of the storage share."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

from app.domain.chat import ModelIdentity
from app.domain.generation import Stats, StopReason

MODEL = ModelIdentity("SmolLM2 135M Instruct", "", "/models/smollm2.gguf")
STATS = Stats(StopReason.END, 12, 4, 40, 0.1, 0.9, 0.15, 7, 4096)
WRITING_PROCESS = Path(__file__).with_name("writing_process.py")


def get(future: "Future[Any]") -> Any:
    """Wait for what a database's thread does."""
    return future.result(timeout=30)


def problems(database: Any) -> list[Any]:
    """Return what SQLite itself finds wrong with the file."""

    def check(db: Any) -> list[Any]:
        found = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        return found + db.execute("PRAGMA foreign_key_check").fetchall()

    return get(database.read(check))
