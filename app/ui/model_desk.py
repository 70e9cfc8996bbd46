"""Choosing a model, and adding one: from the picker or a file dialog."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from app.domain.download import Download
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.model import Model
from app.services.model_facts import ModelFacts
from app.services.models import Models
from app.ui.appearance import Appearance
from app.ui.current_chat import CurrentChat
from app.ui.model_offers import ModelOffers
from app.ui.model_picker import ModelPicker
from app.ui.model_rows import lies_at
from app.ui.notices import Notices
from app.ui.post import Poster


class ModelDesk(QObject):
    """Everything about which model answers in the current chat.

    Attributes:
        offers: What is offered beside the models that are here.
        picker: Where a model is chosen.
    """

    def __init__(
        self,
        appearance: Appearance,
        poster: Poster,
        models: Models,
        facts: ModelFacts,
        chat: CurrentChat,
        notices: Notices,
        offers: ModelOffers,
        over: QWidget,
    ) -> None:
        """Make the picker, which lies over `over`."""
        super().__init__(over)
        self._poster, self._models, self._chat, self._notices = poster, models, chat, notices
        self._facts = facts
        self._over = over
        self.offers = offers
        self.picker = ModelPicker(appearance, offers, over)
        self.picker.chosen.connect(self.choose)
        self.picker.add_requested.connect(self.ask_for_file)
        self.picker.unload_requested.connect(models.unload)
        offers.adopted.connect(self._adopted)

    def open_picker(self, corner: QPoint) -> None:
        """Show the models, the card's corner at `corner`; shown already, take them away."""
        if self.picker.isVisible():
            self.picker.close_card()
        else:
            self.show_models()
            self.picker.open_below(corner)
            self.offers.refresh()

    def show_models(self) -> None:
        """Write the newest state of the models into the picker."""
        chosen = self._chat.model
        path = chosen.path if chosen else None
        self.picker.show_models(self._models.known, self._models.status, path, self._facts.known)

    def choose(self, model: Model) -> None:
        """Answer with `model` from the next turn on."""
        if model.problem:
            self._notices.show_error(UserError(model.problem))
        else:
            self._chat.choose(model)

    def ask_for_file(self, add: Callable[[Path], None] | None = None) -> None:
        """Let a person pick a GGUF file, and `add` it; without that, answer with it."""
        dialog = QFileDialog(self._over.window(), _("Use a GGUF file"), "", _("Models (*.gguf)"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: (add or self.add)(Path(name)))
        dialog.open()

    def add(self, path: Path) -> None:
        """Put a file on the list of models, where it lies, and answer with it."""
        self._poster.when_done(self._models.add(path), self.choose)

    def use(self, download: Download) -> None:
        """Answer with the model that has arrived."""

        def choose(models: list[Model]) -> None:
            found = next((model for model in models if arrived_as(download, model)), None)
            if found:
                self.choose(found)
            else:
                text = _("The file of “{name}” is no longer there.").format(name=download.name)
                self._notices.show_error(UserError(text, _("Download it once more.")))

        if any(arrived_as(download, model) for model in self._models.known):
            choose(self._models.known)
        else:
            self._poster.when_done(self._models.refresh(), choose)

    def _adopted(self, model: Model) -> None:
        self.picker.close_card()
        self.choose(model)


def arrived_as(download: Download, model: Model) -> bool:
    """Return whether `model` is what a download has brought: the first of its files, or a copy of it."""
    if download.sha256 and model.sha256 == download.sha256:
        return True
    return lies_at(model, download.repository, download.parts[0].path)
