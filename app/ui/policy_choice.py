"""What happens when a chat outgrows its context: the four ways, one of which is chosen."""

from collections.abc import Iterable

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QButtonGroup, QVBoxLayout, QWidget

from app.domain.budget import Policy
from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.option import Option


def policy_words(policy: Policy) -> tuple[str, str]:
    """Return what a policy is called, and what it does in one plain line."""
    match policy:
        case Policy.SUMMARISE:
            return (
                _("Summarise older turns"),
                _("The model writes a summary of them, which you can read and edit."),
            )
        case Policy.DROP:
            return _("Drop the oldest"), _("Older turns are left out; pinned messages stay.")
        case Policy.EXTEND:
            return (
                _("Extend the context"),
                _("The model sees more at once, as far as memory goes; then the oldest are dropped."),
            )
    return _("Stop and ask"), _("Nothing is sent until you have decided.")


class PolicyChoice(QWidget):
    """The ways under each other.

    Attributes:
        options: By policy.

    Signals:
        chosen: A person has chosen another one.
    """

    chosen = Signal(Policy)

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self.options = {policy: Option(appearance, *policy_words(policy)) for policy in Policy}
        self._group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for policy, option in self.options.items():
            self._group.addButton(option)
            option.clicked.connect(lambda _on, policy=policy: self.chosen.emit(policy))
            column.addWidget(option)

    def minimumSizeHint(self) -> QSize:
        """Return nothing: a scroll area then asks for the height at its width."""
        return QSize(0, 0)

    @property
    def value(self) -> Policy:
        """Return which one is marked."""
        return next((each for each, option in self.options.items() if option.isChecked()), Policy.SUMMARISE)

    def offer(self, policies: Iterable[Policy]) -> None:
        """Show these only."""
        offered = set(policies)
        for policy, option in self.options.items():
            option.setVisible(policy in offered)

    def show_value(self, policy: Policy) -> None:
        """Mark one."""
        self.options[policy].setChecked(True)
