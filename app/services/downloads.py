"""The queue of models on their way to this computer: it goes on after a quit, a crash or a lost network."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from app.domain.changes import Changed, Changes, Kind
from app.domain.download import Download, Progress, State
from app.domain.errors import UserError
from app.domain.hub_problems import explain
from app.domain.language import _
from app.services.fetching import Fetch, Sender, target_of
from app.storage.downloads import DownloadStore
from models_registry.hub.errors import HubError
from models_registry.transfer import Throttle, TransferError, Wanted

AT_ONCE = 2

_log = logging.getLogger("fireside.downloads")


class Downloads:
    """Downloads in their order, two of them at a time.

    `Changed(DOWNLOADS)` is published whenever one is added, begins, ends or changes its place; how far each
    one is tells `progress`, to be asked a few times a second while it is shown.

    Attributes:
        known: All of them, as of the last `refresh`.
        throttle: Its `limit` holds for all together, in bytes a second; 0 is none.
    """

    def __init__(
        self,
        store: DownloadStore,
        folder: Path,
        changes: Changes,
        sender: Callable[[], Sender],
        arrived: Callable[[Download, list[Path]], None],
    ) -> None:
        """Wire the service; nothing is fetched before `begin`.

        Args:
            store: The queue.
            folder: Of the models.
            changes: Where news goes.
            sender: Returns the hub that is set; called for each try, on the thread that fetches. What was
                found at one hub may come from another: its commit and its sha256 say what it is.
            arrived: Told of each download whose files are there now, and where they lie.
        """
        self._store = store
        self._folder = folder
        self._changes = changes
        self._sender = sender
        self._arrived = arrived
        self._running: dict[int, Fetch] = {}
        self._meant: dict[int, State | None] = {}  # of those that were told to stop; None: to be removed
        self._arrived_bytes: dict[int, int] = {}  # of those that are not being fetched
        self._more = threading.Condition()
        self._news = 0
        self._closing = False
        self._workers: list[threading.Thread] = []
        self.throttle = Throttle()
        self.known: list[Download] = []

    def begin(self) -> None:
        """Begin to fetch what waits, now and whenever something is added."""
        if not self._workers:
            self._workers = [
                threading.Thread(target=self._work, name=f"download-{number}", daemon=True)
                for number in range(1, AT_ONCE + 1)
            ]
            for worker in self._workers:
                worker.start()

    def refresh(self) -> "Future[list[Download]]":
        """Read the queue anew."""
        learnt: Future[list[Download]] = Future()

        def learn(read: "Future[list[Download]]") -> None:
            error = read.exception()
            if error is not None:
                learnt.set_exception(error)
                return
            self._learn(read.result())
            learnt.set_result(self.known)

        self._store.all().add_done_callback(learn)
        return learnt

    def add(self, download: Download) -> "Future[Download]":
        """Put a download at the end of the queue."""
        future = self._store.add(download)
        future.add_done_callback(lambda _done: self._wake())
        return future

    def progress(self, download: Download) -> Progress:
        """Return how far a download is."""
        fetch = self._running.get(download.id)
        if fetch is not None:
            return fetch.progress()
        return Progress(False, self._arrived_bytes.get(download.id, 0))

    def pause(self, download: Download) -> "Future[None]":
        """Fetch no more of it until `resume`."""
        return self._end(download, State.PAUSED)

    def resume(self, download: Download) -> "Future[None]":
        """Fetch it again when its turn comes; one that waits for its next try is tried now."""
        fetch = self._running.get(download.id)
        if fetch is not None:
            fetch.try_now()
        future = self._store.set_state(download.id, State.WAITING) if fetch is None else _done()
        future.add_done_callback(lambda _done: self._wake())
        return future

    def cancel(self, download: Download) -> "Future[None]":
        """Take it off the list, with what has arrived of it unless that is whole."""
        return self._end(download, None)

    def move(self, download: Download, before: Download | None) -> "Future[None]":
        """Fetch it before another one, or last.

        One that is being fetched and is not among the first any more waits for its turn, with what it has.
        """
        future = self._store.move(download.id, before.id if before else None)
        future.add_done_callback(lambda done: None if done.exception() else self._give_way())
        return future

    def paths(self, download: Download) -> list[Path]:
        """Return where the files of a download lie, or will."""
        return [wanted.target for wanted in self._wanted(download)]

    def fetch(self, download: Download) -> "Future[None]":
        """Fetch this one alone, at once; resolves when it is there, has failed or was stopped."""

        def work() -> None:
            taken = self._store.take(only=download.id).result()
            if taken is not None:
                self._run(taken)

        pool = ThreadPoolExecutor(1, "download")
        future = pool.submit(work)
        pool.shutdown(wait=False)
        return future

    def close(self) -> None:
        """Stop; what has arrived stays, and the rest is fetched after the next start."""
        with self._more:
            self._closing = True
            running = list(self._running.values())
            self._more.notify_all()
        for fetch in running:
            fetch.stop()
        for worker in self._workers:
            worker.join()

    def _give_way(self) -> None:
        """Have those that are being fetched out of turn make room for those that are first."""

        def look(read: "Future[list[Download]]") -> None:
            queue = (
                [] if read.exception() else [each.id for each in read.result() if each.state is State.WAITING]
            )
            with self._more:
                first = queue[:AT_ONCE]
                late = [number for number in queue[AT_ONCE:] if number in self._running]
                room = AT_ONCE - len(self._running)
                missing = sum(number not in self._running for number in first) - room
                stopped = (
                    [self._running[number] for number in late[len(late) - missing :]] if missing > 0 else []
                )
            for fetch in stopped:
                fetch.stop()

        if self._workers:
            self._store.all().add_done_callback(look)

    def _learn(self, downloads: list[Download]) -> None:
        """Keep the list, and look at the disk; runs on the database's thread, never on the GUI's."""
        self.known = downloads
        self._arrived_bytes = {each.id: sum(map(_arrived_of, self._wanted(each))) for each in downloads}

    def _wake(self) -> None:
        with self._more:
            self._news += 1
            self._more.notify_all()

    def _end(self, download: Download, meant: State | None) -> "Future[None]":
        with self._more:
            fetch = self._running.get(download.id)
            if fetch is not None:
                self._meant[download.id] = meant
        if fetch is None:
            return self._settle(download, meant)
        fetch.stop()
        return fetch.ended

    def _settle(self, download: Download, meant: State | None) -> "Future[None]":
        if meant is not None:
            return self._store.set_state(download.id, meant)
        future = self._store.remove([download.id])
        future.add_done_callback(lambda _done: self._abandon(download))
        return future

    def _abandon(self, download: Download) -> None:
        for wanted in self._wanted(download):
            wanted.abandon()

    def _work(self) -> None:
        while not self._closing:
            news = self._news
            try:
                download = self._store.take().result()
            except UserError as error:  # a database that cannot be written
                _log.warning("The queue of downloads cannot be read: %s", error)
                download = None
            if download is not None:
                self._run(download)
                continue
            with self._more:
                while news == self._news and not self._closing:
                    self._more.wait()

    def _run(self, download: Download) -> None:
        fetch = Fetch(download, self._folder, self._sender, self.throttle)
        with self._more:
            self._running[download.id] = fetch
            if self._closing:
                fetch.stop()
        self._changes.publish(Changed(Kind.DOWNLOADS, (download.id,)))
        whole, problem = False, None
        try:
            whole = fetch.run()
        except (HubError, TransferError) as error:
            _log.warning("%s of %s: %s", download.name, download.repository, error)
            problem = explain(error, download.name)
        except UserError as error:  # how the hub is reached could not be read
            problem = error
        except Exception:
            _log.exception("A download failed")
            problem = UserError(_("A mistake in Fireside ended this download."), _("Try it once more."))
        self._conclude(fetch, whole, problem)

    def _conclude(self, fetch: Fetch, whole: bool, problem: UserError | None) -> None:
        """Write down how it ended."""
        download = fetch.download
        with self._more:
            del self._running[download.id]
            meant = self._meant.pop(download.id, State.WAITING)
        if whole:
            self._arrived(download, self.paths(download))
            future = self._store.set_state(download.id, State.DONE)
        elif problem is not None:
            future = self._store.set_state(download.id, State.FAILED, problem.message, problem.hint)
        elif meant is State.WAITING:
            future = self._store.release(download.id)
        else:
            future = self._settle(download, meant)
        future.add_done_callback(lambda _done: fetch.ended.set_result(None))
        wait([future])  # who waited for the file reads next how it ended

    def _wanted(self, download: Download) -> list[Wanted]:
        return [
            Wanted(target_of(self._folder, download, part), part.size, part.sha256) for part in download.parts
        ]


def _arrived_of(wanted: Wanted) -> int:
    for path in (wanted.target, wanted.part):
        try:
            return min(path.stat().st_size, wanted.size)
        except OSError:
            continue
    return 0


def _done() -> "Future[None]":
    future: Future[None] = Future()
    future.set_result(None)
    return future
