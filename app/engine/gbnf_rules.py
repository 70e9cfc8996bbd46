"""What the rules of a grammar must hold as a whole, so that llama.cpp can follow them to an end.

llama.cpp looks for left recursion itself, but past rules that are empty only by way of others it does
not see it, and then it works and takes memory without end.
"""

from collections.abc import Callable
from typing import NoReturn

from app.domain.language import _
from app.engine.derivation import deriving

MAX_DEPTH = 400  # rules that begin with rules: llama.cpp looks through them by recursion
MAX_BEGINNINGS = 10_000  # ways in which a rule can begin: llama.cpp keeps a stack for each

# An element is the number of a rule, or, below zero, a character with what it takes in llama.cpp's elements.
Alternative = list[int]
Rule = list[Alternative]


def check_rules(
    rules: list[Rule],
    places: list[int],
    repeats: list[tuple[Alternative, int]],
    refuse: Callable[[int, str], NoReturn],
) -> None:
    """Return when llama.cpp can follow `rules`.

    Args:
        rules: By their numbers; every number in them is there.
        places: Where in the text each rule stands.
        repeats: What is repeated, and where that stands.
        refuse: Is called with a place and what is wrong there.
    """
    ending = _deriving(rules, characters=True)
    for number, place in enumerate(places):
        if number not in ending:
            refuse(place, _("This part can never end; add an alternative that does not lead back to it."))
    empty = _deriving(rules, characters=False)
    for item, place in repeats:
        if all(element in empty for element in item):
            refuse(
                place, _("This repeats something that can be empty; make it match at least one character.")
            )
    beginnings: list[int] = [0] * len(rules)
    depths: list[int] = [0] * len(rules)
    for number in _inner_first(rules, places, empty, refuse):
        beginnings[number], depths[number] = _measures(rules[number], empty, beginnings, depths)
        if beginnings[number] > MAX_BEGINNINGS or depths[number] > MAX_DEPTH:
            refuse(places[number], _("This part can start in too many ways; simplify it."))


def _deriving(rules: list[Rule], *, characters: bool) -> set[int]:
    """Return the rules with an alternative made only of such rules and, if `characters`, of characters."""
    needs = (
        [[element for element in each if element >= 0 or not characters] for each in rule] for rule in rules
    )
    return deriving(dict(enumerate(needs)))


def _first_rules(rule: Rule, empty: set[int]) -> list[int]:
    """Return the rules with which `rule` can begin."""
    found = []
    for alternative in rule:
        for element in alternative:
            if element < 0:
                break
            found.append(element)
            if element not in empty:
                break
    return found


def _inner_first(
    rules: list[Rule], places: list[int], empty: set[int], refuse: Callable[[int, str], NoReturn]
) -> list[int]:
    """Return the rules' numbers, each after those with which it can begin; refuse left recursion."""
    order: list[int] = []
    entered = [False] * len(rules)
    left = [False] * len(rules)
    for start in range(len(rules)):
        pending = [start]
        while pending:
            number = pending[-1]
            if entered[number]:
                pending.pop()
                if not left[number]:
                    left[number] = True
                    order.append(number)
                continue
            entered[number] = True
            for inner in _first_rules(rules[number], empty):
                if entered[inner] and not left[inner]:
                    refuse(
                        places[inner],
                        _("This part can start with itself (left recursion); move its name further right."),
                    )
                if not entered[inner]:
                    pending.append(inner)
    return order


def _measures(rule: Rule, empty: set[int], beginnings: list[int], depths: list[int]) -> tuple[int, int]:
    """Return in how many ways the rule, or what is left of it, can begin, and through how many rules."""
    whole = 1
    most = 0
    depth = 0
    for alternative in rule:
        ways = 1
        for element in reversed(alternative):
            if element < 0:
                ways = 1
            elif element in empty:
                ways += beginnings[element]
            else:
                ways = beginnings[element]
            most = max(most, ways)
        whole += ways
    for inner in _first_rules(rule, empty):
        depth = max(depth, depths[inner])
    return max(whole, most), depth + 1
