"""How long models stay in memory, and how many."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retention:
    """Which models stay in memory while nobody talks to them.

    Attributes:
        idle_minutes: A model is given back after so long without work; None keeps it. A quarter of an hour is
            longer than one reads and thinks between two questions, so hardly anybody waits for it, and a
            laptop that was left has its memory again.
        two: Keep the model that was used before beside the current one, where there is room for both.
    """

    idle_minutes: float | None = 15
    two: bool = True
