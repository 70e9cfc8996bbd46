"""Which rules of a grammar come to an end."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def deriving(rules: Mapping[Name, Iterable[Collection[Name]]]) -> set[Name]:
    """Return the rules with an alternative that is made only of rules that are returned as well.

    Args:
        rules: For each, its alternatives, as the rules in them. What has no rule is never returned.
    """
    waiting: dict[Name, list[tuple[Name, int]]] = {}
    missing: dict[tuple[Name, int], int] = {}
    ready: list[Name] = []
    for name, alternatives in rules.items():
        for index, needs in enumerate(alternatives):
            missing[name, index] = len(needs)
            for need in needs:
                waiting.setdefault(need, []).append((name, index))
            if not needs:
                ready.append(name)
    found: set[Name] = set()
    while ready:
        name = ready.pop()
        if name in found:
            continue
        found.add(name)
        for user in waiting.get(name, ()):
            missing[user] -= 1
            if not missing[user]:
                ready.append(user[0])
    return found
