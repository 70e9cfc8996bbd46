"""The unfinished end of a stream, made fit to be shown: no marker flashes up before it means something."""

import re

_FORMING = re.compile(r"[ \t>]*(?:[-=*_+#~|:`]+|\d{1,9}[.)]?|`{3,}[^`\n]*|~{3,}[^\n]*)[ \t]*")
_TABLE_HEAD = re.compile(r"(?:\A|\n)[ \t]*\|[^\n]*(?:\n[ \t]*[|:\- \t]*)?\Z")
_FENCE = re.compile(r"^[ \t>]*(?:[-*+]|\d{1,9}[.)])?[ \t]*(?:```|~~~)", re.MULTILINE)
_LINK_END = re.compile(r"\[([^\[\]\n]*)\]\([^()\s]*\Z")


def presentable(source: str) -> str:
    """Return `source`, the last block of a stream, as it can be shown while more is to come.

    A line that is only a marker so far (of a list, a fence, a heading, a table's first lines) waits;
    emphasis, code and links that are open are closed.
    """
    last = source.rfind("\n") + 1
    if _FORMING.fullmatch(source, last):
        source = source[:last]
    if (head := _TABLE_HEAD.search(source)) and not _is_row(source[: head.start()]):
        source = source[: head.start()]
    if len(_FENCE.findall(source)) % 2:
        return source
    start = source.rfind("\n\n") + 1
    return source[:start] + _closed(source[start:])


def _is_row(before: str) -> bool:
    """Return whether the last line of `before` belongs to the same table."""
    return before[before.rfind("\n") + 1 :].lstrip().startswith("|")


def _closed(text: str) -> str:
    """Close what a paragraph has opened."""
    if link := _LINK_END.search(text):
        text = text[: link.start()] + link[1]
    open_: list[str] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 2
        elif character == "`":
            run = _run(text, at)
            end = _end_of_code(text, at + len(run), run)
            if end < 0:
                inside = text[at + len(run) :].rstrip("`")
                closing = run if inside.strip() else ""
                return (text[:at] + run + inside if closing else text[:at]) + closing + _closing(open_)
            at = end
        elif character in "*_~":
            run = _run(text, at)
            text = _emphasis(text, at, run, open_)
            at += len(run)
        else:
            at += 1
    return text.rstrip() + _closing(open_) if open_ else text


def _run(text: str, at: int) -> str:
    end = at
    while end < len(text) and text[end] == text[at]:
        end += 1
    return text[at:end]


def _end_of_code(text: str, at: int, run: str) -> int:
    """Return where the code that `run` opened ends, behind its closing run; -1 when it does not."""
    while (at := text.find(run, at)) >= 0:
        found = _run(text, at)
        at += len(found)
        if len(found) == len(run):
            return at
    return -1


def _emphasis(text: str, at: int, run: str, open_: list[str]) -> str:
    """Note what a run of markers opens or closes; return the text without one that is still forming."""
    before, after = text[at - 1 : at], text[at + len(run) : at + len(run) + 1]
    if before and not before.isspace() and open_ and open_[-1] == run:
        open_.pop()
    elif not after:
        return text[:at]
    elif not after.isspace() and not before.isalnum() and len(run) <= 3 and run != "~":
        open_.append(run)
    return text


def _closing(open_: list[str]) -> str:
    return "".join(reversed(open_))
