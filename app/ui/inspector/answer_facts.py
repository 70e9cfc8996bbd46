"""What the newest answer took, and what it was written with."""

from PySide6.QtCore import QLocale

from app.domain.chat import Message, Status
from app.domain.generation import Stats
from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.inspector.desk import Desk
from app.ui.inspector.facts import Facts
from app.ui.inspector.section import Section
from app.ui.inspector.words import sampler_name
from app.ui.quantities import context_text

_MOST = 11  # rows


class AnswerFacts(Section):
    """Speed, tokens, seed, and why it ended.

    Attributes:
        facts: The rows.
    """

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__(appearance, _("This answer"))
        self._desk = desk
        self.facts = Facts(_MOST)
        self.column.addWidget(self.facts)

    @property
    def wanted(self) -> bool:
        """Return whether there is an answer that has ended."""
        return self._desk.answer() is not None

    def refresh(self) -> None:
        """Show the newest one of the chat."""
        answer = self._desk.answer()
        if answer is not None and answer.stats is not None:
            self.facts.show_rows(_rows(answer, answer.stats))


def _rows(answer: Message, stats: Stats) -> list[tuple[str, str]]:
    locale = QLocale()

    def number(value: float, digits: int) -> str:
        return locale.toString(float(value), "f", digits)

    speed = stats.tokens_per_second
    read = stats.prompt_tokens - stats.reused_tokens
    rows = [(_("Speed"), _("{count} tokens/s").format(count=number(speed, 1 if speed < 10 else 0)))]
    if speed == 0:
        rows = []
    rows += [
        (_("First word after"), _("{count} s").format(count=number(stats.first_token_seconds, 1))),
        (_("Tokens read"), locale.toString(read)),
        (_("Tokens reused"), locale.toString(stats.reused_tokens)),
        (_("Tokens written"), locale.toString(stats.generated_tokens)),
    ]
    if stats.drafted_tokens:
        right = _("{right} of {count} right").format(
            right=locale.toString(stats.accepted_tokens), count=locale.toString(stats.drafted_tokens)
        )
        rows.append((_("Guessed ahead"), right))
    rows += [
        (_("Seed"), str(stats.seed)),
        (_("Context"), context_text(stats.context)),
        (_("KV cache"), stats.kv_type),
    ]
    if stats.samplers:
        rows.append((_("Samplers"), " → ".join(sampler_name(name) for name in stats.samplers)))
    rows.append((_("Ended"), _ending(answer)))
    return rows


def _ending(answer: Message) -> str:
    match answer.status:
        case Status.CUT:
            return _("at the length limit")
        case Status.STOPPED:
            return _("stopped by you")
        case Status.INTERRUPTED:
            return _("interrupted")
        case Status.FAILED:
            return _("failed")
    return _("complete")
