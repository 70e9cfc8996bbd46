"""What a model thinks before it answers, told apart from the answer while it is written."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_TAG = re.compile(r"<[^<>\s]+>|\[[^\[\]\s]+\]|◁[^◁▷\s]+▷")


@dataclass(frozen=True, slots=True)
class Markers:
    """How one family of models marks its reasoning.

    Attributes:
        start: What opens it. Several, when a model may write either; the last is what it writes first.
        end: What closes it.
        silent: What stands around the answer itself, and is shown to nobody.
        answer: What opens the answer, where it has a marker of its own.
        between: What stands between the end of the reasoning and `answer`.
        reopens: Whether reasoning may begin again later in the answer.
        gap: Whitespace between the markers and the text within; twice that before an answer without marker.
    """

    start: tuple[str, ...]
    end: tuple[str, ...]
    silent: tuple[str, ...] = ()
    answer: str = ""
    between: str = ""
    reopens: bool = False
    gap: str = "\n"

    @property
    def closing(self) -> str:
        """Return what stands between reasoning and the answer behind it."""
        return self.gap + self.end[0] + self.between + (self.answer or 2 * self.gap)

    @property
    def tokens(self) -> tuple[str, ...]:
        """Return the tags in the markers that may be control tokens of the vocabulary."""
        tags = [tag for marker in (*self.start, *self.end, *self.silent) for tag in _TAG.findall(marker)]
        return tuple(dict.fromkeys(tags))

    def opened(self, prompt_end: str) -> bool:
        """Return whether a prompt whose last words are `prompt_end` leaves the reasoning open."""
        return prompt_end.rstrip().endswith(self.start)


# The families' own chat templates are the source; llama.cpp's parsers (common/chat.cpp and common/parsers)
# know the same ones. The order matters where one template has the marks of two.
FAMILIES = (
    Markers(  # gpt-oss: OpenAI's harmony format. The commentary channel is for the reader, too.
        start=("<|start|>assistant<|channel|>analysis<|message|>", "<|channel|>analysis<|message|>"),
        end=("<|end|>",),
        silent=(
            "<|start|>assistant<|channel|>final<|message|>",
            "<|start|>assistant<|channel|>commentary<|message|>",
            "<|channel|>final<|message|>",
            "<|channel|>commentary<|message|>",
        ),
        answer="<|channel|>final<|message|>",
        between="<|start|>assistant",
        reopens=True,
        gap="",
    ),
    Markers(("<|channel>thought",), ("<channel|>",)),  # Gemma 4
    Markers(  # Command R7B, Command A
        ("<|START_THINKING|>",),
        ("<|END_THINKING|>",),
        ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
        answer="<|START_RESPONSE|>",
        gap="",
    ),
    Markers(  # its successors
        ("<|START_THINKING|>",),
        ("<|END_THINKING|>",),
        ("<|START_TEXT|>", "<|END_TEXT|>"),
        answer="<|START_TEXT|>",
        gap="",
    ),
    Markers(("[THINK]",), ("[/THINK]",), gap=""),  # Magistral, Ministral
    Markers(("<seed:think>",), ("</seed:think>",)),  # Seed-OSS
    Markers(("<mm:think>",), ("</mm:think>",)),  # MiniMax M3
    Markers(  # Kimi K3
        ("<|open|>think<|sep|>",),
        ("<|close|>think<|sep|>",),
        ("<|open|>response<|sep|>", "<|close|>response<|sep|>", "<|close|>message<|sep|>"),
        answer="<|open|>response<|sep|>",
        gap="",
    ),
    Markers(  # Solar Open
        ("<|begin|>assistant<|think|>", "<|think|>"),
        ("<|end|>",),
        ("<|begin|>assistant<|content|>", "<|content|>"),
        answer="<|content|>",
        between="<|begin|>assistant",
        gap="",
    ),
    Markers(("<|inner_prefix|>",), ("<|inner_suffix|>",), gap=""),  # Apertus
    Markers(  # Apriel
        ("Here are my reasoning steps:",),
        ("[BEGIN FINAL RESPONSE]",),
        ("[END FINAL RESPONSE]", "<|end|>"),
    ),
    Markers(("<think>",), ("</think>",), ("<response>", "</response>")),  # Granite 3
    Markers(("<think>",), ("</think>",), ("<answer>", "</answer>")),  # Hunyuan
    Markers(("<think>",), ("</think>",)),  # Qwen 3, DeepSeek, GLM, SmolLM3, and most others
    Markers(("<thought>",), ("</thought>",)),  # EXAONE Deep
    Markers(("<thinking>",), ("</thinking>",)),
    Markers(("<reasoning>",), ("</reasoning>",)),
    Markers(("◁think▷",), ("◁/think▷",)),  # Kimi VL
)


def markers_in(text: str, has_token: Callable[[str], bool] = lambda _token: False) -> Markers | None:
    """Return the markers of the family that a chat template belongs to.

    Args:
        text: The template's source.
        has_token: Whether the vocabulary has a token of its own that is spelled so. It decides for
            templates that leave reasoning to the model.
    """
    for family in FAMILIES:
        if any(marker in text for marker in family.end) and all(
            any(marker in text for marker in group) for group in (family.start, family.silent) if group
        ):
            return family
    for family in FAMILIES:
        if any(marker in text for marker in family.end) and not family.silent:
            return family
    for family in FAMILIES:
        if not family.silent and all(map(has_token, family.start + family.end)):
            return family
    return None


class ReasoningStream:
    """Turns the text of an answer into pieces of reasoning and pieces of the answer.

    Never gives out what may turn out to be the beginning of a marker. Whitespace around the reasoning,
    and between it and the answer, belongs to neither. However the text is cut, the pieces spell the same.

    Attributes:
        open: Whether the model is in its reasoning.
    """

    def __init__(self, markers: Markers | None, opened: bool = False) -> None:
        """Begin an answer.

        Args:
            markers: Those of the template; with None all text is the answer.
            opened: Whether the prompt ends within the reasoning.
        """
        self.open = opened and markers is not None
        self._held = ""
        self._at_start = markers is not None  # of the reasoning, or of the answer
        self._told_apart = self.open  # a marker came: whitespace in front of the answer is not its own
        if markers is None:
            self._begin = self._end = self._within = _Search(())
            self._start: tuple[str, ...] = ()
            return
        self._start = markers.start
        self._begin = _Search(markers.start + markers.silent)
        self._end = _Search(markers.end)
        # In most families nothing is to be expected once the answer has begun, and it costs nothing more.
        again = markers.start + markers.end if markers.reopens else ()
        self._within = _Search(markers.silent + again)

    def push(self, text: str) -> list[tuple[str, bool]]:
        """Add `text`; return what is now certain, as (text, whether it is reasoning)."""
        if not (self.open or self._at_start or self._within.markers):
            return [(text, False)] if text else []
        self._held += text
        return self._settle(final=False)

    def finish(self) -> list[tuple[str, bool]]:
        """Return what was held back, once no more text will come."""
        pieces = self._settle(final=True)
        rest, self._held = self._held, ""
        if rest and not self._told_apart:  # an answer may well be whitespace alone
            pieces.append((rest, False))
        return pieces

    def _settle(self, *, final: bool) -> list[tuple[str, bool]]:
        pieces: list[tuple[str, bool]] = []
        while self._held and self._step(pieces, final):
            pass
        return pieces

    def _step(self, pieces: list[tuple[str, bool]], final: bool) -> bool:
        """Go on to behind the next marker; return whether there was one, or else may be one behind it."""
        if self._at_start:
            return self._step_in(final)
        text = self._held
        at, marker = (self._end if self.open else self._within).first(text, final)
        # The end of the reasoning may come behind the whitespace that is its last so far.
        given = text[:at].rstrip() if self.open else text[:at]
        if given:
            pieces.append((given, self.open))
        if marker is None:
            self._held = text[len(given) :]
            if final and self.open:
                self._held = ""
            return False
        self._held = text[at + len(marker) :]
        self._pass(marker)
        return True

    def _step_in(self, final: bool) -> bool:
        """Pass what stands in front of the reasoning, or of the answer."""
        text = self._held.lstrip()
        if not text:
            return False
        at, marker = self._begin.first(text, final)
        if at == 0 and marker is None and not final:
            return False
        if at or marker is None or (self.open and marker not in self._start):
            self._at_start = False
            self._held = text if self._told_apart else self._held
        else:
            self._held = text[len(marker) :]
            self._pass(marker)
        return True

    def _pass(self, marker: str) -> None:
        self._told_apart = True
        if marker in self._start:
            self.open = self._at_start = True
        elif self.open:
            self.open, self._at_start = False, True


class _Search:
    """Finds the first of some markers in a text that may go on."""

    def __init__(self, markers: tuple[str, ...]) -> None:
        self.markers = markers
        self._longest = max(map(len, markers), default=0)
        by_length = sorted(markers, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, by_length)) or "(?!)")

    def first(self, text: str, final: bool) -> tuple[int, str | None]:
        """Return where the first marker begins, and which it is.

        The marker is None where the text ends before that is known, and at the end of a text without
        one. Of two that begin at one place the longer is meant.
        """
        found = self._pattern.search(text)
        end = found.start() if found else len(text)
        if not final:
            for at in range(max(0, len(text) - self._longest + 1), min(end + 1, len(text))):
                rest = text[at:]
                if any(len(marker) > len(rest) and marker.startswith(rest) for marker in self.markers):
                    return at, None
        return end, found[0] if found else None
