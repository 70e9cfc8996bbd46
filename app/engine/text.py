"""From the bytes of tokens to whole characters, with stop strings held back."""

import codecs
from collections.abc import Sequence


class TextStream:
    """Turns pieces of bytes into text that may be shown at once.

    Never gives out half a character, nor anything that may turn out to be the start of a stop
    string. Whitespace at the very start is dropped when `strip_start` is set: tokenizers of the
    SentencePiece kind begin an answer with a space that nobody wrote.
    """

    def __init__(self, stop: Sequence[str] = (), strip_start: bool = True) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(s for s in stop if s)
        self._held = ""
        self._at_start = strip_start
        self.stopped = False

    def push(self, piece: bytes) -> str:
        """Add the bytes of one token; return the text that is now certain, often empty.

        Sets `stopped` once a stop string has come; the text in front of it has then been returned
        and nothing more will be.
        """
        text = self._decoder.decode(piece)
        if not text or self.stopped:
            return ""
        if self._at_start:
            text = text.lstrip()
            if not text:
                return ""
            self._at_start = False
        if not self._stop:
            return text
        text = self._held + text
        found = [at for at in (text.find(s) for s in self._stop) if at >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max(_overlap(text, s) for s in self._stop)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """Return what was held back, once no more tokens will come."""
        if self.stopped:
            return ""
        rest = self._decoder.decode(b"", final=True)
        text, self._held = self._held + (rest.lstrip() if self._at_start else rest), ""
        return text


def _overlap(text: str, stop: str) -> int:
    """Return the length of the longest end of `text` that begins `stop`."""
    for length in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
