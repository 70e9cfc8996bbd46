"""Opens the picker of models, the library and the search at the hub, and leads from one to the others."""

from pathlib import Path

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QWidget

from app.domain.download import Download
from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.chat_page import ChatPage
from app.ui.downloads.desk import DownloadDesk
from app.ui.downloads.words import title
from app.ui.hub.desk import HubDesk
from app.ui.hub.sheet import FindSheet
from app.ui.library.desk import LibraryDesk
from app.ui.library.sheet import LibrarySheet
from app.ui.model_desk import ModelDesk
from app.ui.notices import Offer
from app.ui.transcript.highlight import Highlighter


class ModelSheets(QObject):
    """One sheet of each kind at most lies over the window; a model that is chosen in any of them answers.

    Attributes:
        library: The models on this computer.
        hub: The search.
    """

    def __init__(
        self,
        appearance: Appearance,
        desk: ModelDesk,
        library: LibraryDesk,
        hub: HubDesk,
        downloads: DownloadDesk,
        page: ChatPage,
        over: QWidget,
    ) -> None:
        """Join `desk`, which has the picker, to what the sheets show; they lie over `over`."""
        super().__init__(over)
        self._appearance, self._desk, self._downloads = appearance, desk, downloads
        self.library, self.hub, self._page, self._over = library, hub, page, over
        self._highlighter = Highlighter(self)
        desk.picker.find_requested.connect(self.find_models)
        desk.picker.library_requested.connect(self.open_library)
        library.chosen.connect(desk.choose)
        library.changed.connect(desk.show_models)
        hub.chosen.connect(desk.choose)
        downloads.use_requested.connect(desk.use)
        downloads.arrived.connect(self._offer_library)

    def open_picker(self) -> None:
        """Show the picker below the name of the model, or take it away."""
        pill = self._page.bar.pill
        self._desk.open_picker(pill.mapTo(self._over, QPoint(0, pill.height() + 4)))
        self.refresh()

    def find_models(self) -> None:
        """Show the search at the hub."""
        if not self._over.findChildren(FindSheet):
            sheet = FindSheet(self._appearance, self.hub, self._downloads, self._highlighter, self._over)
            sheet.open_results()

    def open_library(self) -> None:
        """Show the models on this computer."""
        if not self.library.shown:
            sheet = LibrarySheet(self._appearance, self.library, self._over)
            sheet.add_requested.connect(lambda: self._desk.ask_for_file(self.library.add))
            sheet.find_requested.connect(self.find_models)
            sheet.open_library()

    def add(self, path: Path) -> None:
        """Put a file on the list of models; answer with it, unless it is the list that is looked at."""
        (self.library if self.library.shown else self._desk).add(path)

    def take_models(self) -> None:
        """Show that the list of models is another one."""
        self.library.take_models()
        self.refresh()

    def refresh(self) -> None:
        """Gather anew what is known of the models, while something shows it."""
        if self._desk.picker.isVisible() or self.library.shown:
            self.library.refresh()

    def _offer_library(self, download: Download) -> None:
        def show() -> None:
            self.library.open_arrived(download)
            self.open_library()

        text = _("{name} is ready.").format(name=title(download))
        self._page.notices.show_offer(text, Offer(_("Show it"), show))
