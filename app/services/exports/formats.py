"""What a chat can be written as."""

from enum import StrEnum

from app.domain.language import _


class Format(StrEnum):
    """A kind of file, by the word that the command line has for it."""

    MARKDOWN = "md"
    HTML = "html"
    PDF = "pdf"
    TEXT = "txt"
    JSON = "json"
    SHAREGPT = "sharegpt"
    CHATML = "chatml"
    ALPACA = "alpaca"

    @property
    def joins(self) -> bool:
        """Return whether many chats go into one file; else each has its own."""
        return self not in _FOR_PEOPLE

    @property
    def branches(self) -> bool:
        """Return whether every version of a chat can be written, each as an example."""
        return self in (Format.SHAREGPT, Format.CHATML, Format.ALPACA)

    def suffix(self, count: int) -> str:
        """Return how the name of a file with so many chats ends."""
        if self is Format.JSON:
            return ".json" if count == 1 else ".jsonl"
        return ".jsonl" if self.branches else f".{self}"

    @property
    def label(self) -> str:
        """Return what it is called."""
        return {
            Format.MARKDOWN: "Markdown",
            Format.HTML: _("Web page (HTML)"),
            Format.PDF: "PDF",
            Format.TEXT: _("Plain text"),
            Format.JSON: _("Everything (JSON)"),
            Format.SHAREGPT: _("Training data: ShareGPT"),
            Format.CHATML: _("Training data: ChatML"),
            Format.ALPACA: _("Training data: Alpaca"),
        }[self]

    @property
    def purpose(self) -> str:
        """Return what it is good for, in a sentence."""
        return {
            Format.MARKDOWN: _("Text with its formatting, for notes and other editors."),
            Format.HTML: _("One file for any browser, ready to print, with coloured code."),
            Format.PDF: _("Pages to print or to send."),
            Format.TEXT: _("Only the words, for any program."),
            Format.JSON: _("Nothing left out: every version, setting and draft. Fireside can read it again."),
            Format.SHAREGPT: _("One conversation a line, to train a model with: from and value."),
            Format.CHATML: _("One conversation a line, to train a model with: role and content."),
            Format.ALPACA: _("One conversation a line, to train a model with: instruction and output."),
        }[self]


_FOR_PEOPLE = (Format.MARKDOWN, Format.HTML, Format.PDF, Format.TEXT)
