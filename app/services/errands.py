"""Requests beside the answers: what each brings is gathered, and handed over at its end."""

from collections.abc import Callable

from app.domain.generation import EngineEvent, Failed, Finished, Job

Events = list[EngineEvent]


class Errands:
    """Jobs of the engine that belong to no message. Lives on the thread of the conversation."""

    def __init__(self, on_added: Callable[[], None]) -> None:
        """Call `on_added` whenever there is a reason to begin to `drain`."""
        self._on_added = on_added
        self._jobs: list[tuple[Job, Events, Callable[[Events], None]]] = []

    def __bool__(self) -> bool:
        """Return whether one is on its way."""
        return bool(self._jobs)

    @property
    def jobs(self) -> list[Job]:
        """Return those that are on their way."""
        return [job for job, _events, _done in self._jobs]

    def add(self, job: Job, done: Callable[[Events], None]) -> None:
        """Call `done` with all events of `job`, the last one its end, once they are there."""
        self._jobs.append((job, [], done))
        self._on_added()

    def drain(self) -> None:
        """Take what the engine has brought since the last call."""
        left = []
        ended = []
        for errand in self._jobs:
            job, events, done = errand
            events += job.drain()
            if events and isinstance(events[-1], Finished | Failed):
                ended.append((events, done))
            else:
                left.append(errand)
        self._jobs = left
        for events, done in ended:
            done(events)
