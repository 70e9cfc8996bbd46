"""The services of a start that downloads, and a program that is killed while it does.

`python download_desk.py HOME ENDPOINT` forks a child for each line on its standard input, which says how many
bytes it may fetch in a second, prints its process id, and then its exit code: 0 once nothing waits any more.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.domain.changes import Changes
from app.domain.download import Download, Progress, State
from app.services.discovery import Discovery
from app.services.downloads import Downloads
from app.services.hubs import Hubs, HubSettings
from app.storage.database import Database
from app.storage.downloads import DownloadStore
from app.storage.preferences import PreferenceStore
from models_registry.hub import wire  # noqa: F401 -- slow to import: before the fork

MAKER = "maker/Model-GGUF"
T = TypeVar("T")


class Desk:
    """The services of one start."""

    def __init__(self, home: Path, endpoint: str) -> None:
        self.home = home
        self.database = Database(home / "chats.db")
        kept = PreferenceStore(self.database)
        self.hubs = Hubs(kept)
        self.hubs.set_settings(HubSettings(endpoint=endpoint, token_for_mirror=True))
        self.discovery = Discovery(self.hubs)
        self.arrived: list[tuple[str, list[Path]]] = []
        self.downloads = Downloads(
            DownloadStore(self.database, Changes(lambda call: call())),
            home / "models",
            Changes(lambda call: call()),
            self.hubs.hub,
            lambda download, paths: self.arrived.append((download.sha256, paths)),
        )

    def add(self, wanted: str = "", repository: str = MAKER) -> Download:
        found = self.discovery.look(repository).result(30)
        variant = self.discovery.choose(found, wanted)
        return self.downloads.add(self.discovery.wanted(found, variant)).result(30)

    def state(self, download: Download) -> Download:
        return next(each for each in self.downloads.refresh().result(30) if each.id == download.id)

    def until(self, download: Download, *states: State) -> Download:
        return wait_for(lambda: self.state(download) if self.state(download).state in states else None)

    def until_some(self, download: Download, count: int = 1) -> Progress:
        def look() -> Progress | None:
            progress = self.downloads.progress(download)
            return progress if progress.running and progress.done >= count else None

        return wait_for(look)

    def files(self) -> list[str]:
        models = self.home / "models"
        return sorted(str(path.relative_to(models)) for path in models.rglob("*") if path.is_file())

    def close(self) -> None:
        self.downloads.close()
        self.discovery.close()
        self.database.close()


def wait_for(look: Callable[[], T | None], seconds: float = 30) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.005)
    raise AssertionError("it never came")


def fetch_all(home: Path, endpoint: str, speed: int) -> int:
    """Fetch what waits, as the window does after its start."""
    desk = Desk(home, endpoint)
    desk.downloads.throttle.limit = speed
    desk.downloads.begin()
    while any(each.state is State.WAITING for each in desk.downloads.refresh().result(30)):
        time.sleep(0.002)
    desk.close()
    return 0


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os._exit(fetch_all(Path(sys.argv[1]), sys.argv[2], int(line)))
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
