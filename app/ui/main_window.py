"""The window: sidebar, page, menus and shortcuts, and which news goes where."""

import sys
from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu

from app.domain.changes import Changed, Changes, Kind
from app.domain.language import _
from app.domain.search import Hit
from app.services.adoption import Adoption
from app.services.backups import Backups
from app.services.budget import Budgets
from app.services.choices import ModelChoices
from app.services.contacts import Contacts
from app.services.conversation import Conversation
from app.services.discovery import Discovery
from app.services.downloads import Downloads
from app.services.exporting import Exporting
from app.services.history import History
from app.services.importing import Importing
from app.services.incognito import Incognito
from app.services.inspection import Inspection
from app.services.keeping import Keeping
from app.services.live import Phase
from app.services.long_reading import LongReadings
from app.services.model_facts import ModelFacts
from app.services.models import Models
from app.services.network import Network
from app.services.preferences import Preferences
from app.services.prospects import Prospects
from app.services.recommendations import Recommendations
from app.services.snapshots import Snapshots
from app.services.trash import TrashCan
from app.ui.actions import Actions
from app.ui.appearance import ZOOM_STEP, Appearance
from app.ui.chat_files import ChatFiles
from app.ui.chat_page import ChatPage
from app.ui.context_view import ContextView
from app.ui.current_chat import CurrentChat
from app.ui.damage import tell_damage
from app.ui.downloads.cards import DownloadCards
from app.ui.downloads.desk import DownloadDesk
from app.ui.drafts import Drafts
from app.ui.file_drop import FileDrop
from app.ui.first_run import FirstRun
from app.ui.frame import Frame
from app.ui.held_questions import Arrivals
from app.ui.history_desk import HistoryDesk
from app.ui.hub.desk import HubDesk
from app.ui.incognito_desk import IncognitoDesk
from app.ui.inspector.desk import Desk
from app.ui.inspector.inspector import Inspector
from app.ui.library.desk import LibraryDesk
from app.ui.menus import rounded
from app.ui.model_desk import ModelDesk
from app.ui.model_offers import ModelOffers
from app.ui.model_sheets import ModelSheets
from app.ui.navigation import Navigation
from app.ui.notices import Offer
from app.ui.post import Poster
from app.ui.pump import Pump
from app.ui.search.desk import SearchDesk
from app.ui.settings.desk import SettingsDesk
from app.ui.settings.opener import SettingsOpener
from app.ui.sidebar.chats import ChatList, shown_title
from app.ui.sidebar.grouping import Order
from app.ui.sidebar.shelf import Shelf
from app.ui.sidebar.sidebar import Sidebar
from app.ui.trash_sheet import TrashDesk
from app.ui.window_memory import WindowMemory

_SMALLEST, _USUAL = (640, 480), (1180, 780)


class MainWindow(QMainWindow):
    """Everything that a person sees. Building and painting it needs no database and no model.

    Attributes:
        incognito: How chats of which nothing is kept begin and end.
        page: The current chat.
        sidebar: All chats.
        inspector: What can be set for the model.
        files: The way of chats in and out.
        first_run: What is recommended on the first start.
        model_sheets: Where models are chosen and found.
        pump: Brings the answers.
        actions_by_name: The table of actions as Qt actions.

    Signals:
        first_painted: The window has been drawn for the first time.
    """

    first_painted = Signal()

    def __init__(
        self,
        *,
        poster: Poster,
        history: History,
        incognito: Incognito,
        importing: Importing,
        exporting: Exporting,
        conversation: Conversation,
        budgets: Budgets,
        models: Models,
        facts: ModelFacts,
        changes: Changes,
        preferences: Preferences,
        choices: ModelChoices,
        inspection: Inspection,
        downloads: Downloads,
        recommendations: Recommendations,
        adoption: Adoption,
        discovery: Discovery,
        prospects: Prospects,
        network: Network,
        contacts: Contacts,
        snapshots: Snapshots,
        trash: TrashCan,
        keeping: Keeping,
        backups: Backups,
        long_readings: LongReadings,
        memory: WindowMemory,
    ) -> None:
        """Build the window around the services.

        Args:
            poster: What `changes` and `conversation` were given to post with.
            history: The chats.
            incognito: Those of which nothing is kept.
            importing: Brings chats in.
            exporting: Takes chats out.
            conversation: The turns.
            budgets: Counts what goes into the context.
            models: The models.
            facts: What is known of them beside their files.
            changes: Subscribed to.
            preferences: Remembers the open chat and what is unsent in a new one.
            choices: What is set for each model.
            inspection: Tells what a model takes.
            downloads: The models on their way.
            recommendations: The models worth having.
            adoption: The models of other apps.
            discovery: The models at the hub.
            prospects: How those would do here.
            network: How the hub is reached.
            contacts: What was asked over the network.
            snapshots: What is kept on disk of chats.
            trash: What was deleted.
            keeping: How long models stay in memory.
            backups: The backups of the chats.
            long_readings: Tests how well models read.
            memory: Remembers the place and looks of the window.
        """
        super().__init__()
        self._poster, self._conversation, self._models = poster, conversation, models
        self._choices, self._memory, self._backups = choices, memory, backups
        self._painted = self._introduced = False
        self.appearance = appearance = Appearance(_application(), self)
        appearance.set_scheme(memory.scheme)
        appearance.set_zoom(memory.zoom)
        self._shelf = Shelf(poster, history, trash, ChatList())
        self._remember_order(self._shelf.chats)
        self._drafts = Drafts(history, preferences, poster)
        self._chat = CurrentChat(poster, history, conversation, models, choices, budgets)
        self.pump = Pump(conversation, self)
        self.page = ChatPage(appearance, self._chat, models, self._drafts)
        self.actions_by_name = Actions(self, self._handlers())
        self._downloads = DownloadDesk(poster, downloads, self.page.notices, self)
        cards = DownloadCards(appearance, self._downloads)
        self._search = SearchDesk(poster, history, self)
        self.sidebar = Sidebar(appearance, self._shelf.chats, self._search, cards, self._main_menu())
        self.sidebar.show_shortcut(self.actions_by_name.keys("new-chat"))
        inspected = Desk(poster, self._chat, models, choices, inspection, facts, long_readings, self)
        self.inspector = Inspector(appearance, inspected)
        self._frame = Frame(
            self.sidebar,
            self.page,
            self.inspector,
            wanted=memory.sidebar,
            inspector_wanted=memory.inspector,
        )
        self._go = Navigation(
            poster, preferences, conversation, self._drafts, self._shelf, self._chat, self.page, self._frame
        )
        self._history = HistoryDesk(
            poster, history, incognito.undo, self.page, self.actions_by_name, self._go
        )
        self.incognito = IncognitoDesk(poster, incognito, self.page, self._drafts, self._go, self._frame)
        self.files = ChatFiles(
            appearance,
            poster,
            importing,
            exporting,
            self._history,
            self.page,
            self._shelf.chats,
            self._frame,
        )
        self.context = ContextView(appearance, poster, budgets, models, inspection, self.page, self._frame)
        offers = ModelOffers(poster, adoption, recommendations, self._downloads, self)
        self._desk = ModelDesk(
            appearance, poster, models, facts, self._chat, self.page.notices, offers, self._frame
        )
        library = LibraryDesk(poster, models, facts, self)
        hub = HubDesk(poster, discovery, prospects, models, self)
        self.model_sheets = ModelSheets(
            appearance, self._desk, library, hub, self._downloads, self.page, self._frame
        )
        settings = SettingsDesk(
            poster, appearance, memory, preferences, network, adoption, snapshots, keeping, backups
        )
        self._settings = SettingsOpener(settings, contacts, self.sidebar.mark, self._frame)
        self._trash = TrashDesk(appearance, poster, trash, self.page.notices, self._frame)
        self.first_run = FirstRun(appearance, offers)
        self.page.set_first_run(self.first_run)
        self.page.set_arrivals(Arrivals(self._downloads, offers))
        self._connect()
        self._lay_out()
        changes.subscribe(self._take_change)
        poster.present_with(self.page.notices.show_error)

    def load(self) -> None:
        """Read the chats and what is unsent, and open the chat that was open last.

        Called once, after the first paint: it is what opens the database.
        """
        self.page.expect_messages()
        self._shelf.load()
        self._downloads.refresh()
        self._poster.when_done(self._choices.read(), lambda read: self._know_choices())
        self.inspector.awake()
        self._go.resume()

    def end(self) -> None:
        """Close without a question: the system wants this program to end."""
        self.incognito.agree()
        self.close()

    def come_to_front(self) -> None:
        """Show the window above all others: Fireside was started once more."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Say once that the window can be seen."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.first_painted.emit)

    def changeEvent(self, event: QEvent) -> None:
        """Look at the calendar when the window comes to the front: another day may have begun."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self._shelf.chats.regroup()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Go through the messages in their order, also when coming from elsewhere: rows come and go."""
        self.page.order_tabs()
        return super().focusNextPrevChild(forward)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep what is unsent, and where the window stood; ask before an incognito chat ends."""
        if not self.incognito.may_close(self.close):
            event.ignore()
            return
        self.page.save_draft()
        self.context.desk.close()
        self.inspector.finish_edits()
        self._memory.save(
            self.saveGeometry(),
            self.appearance.zoom,
            sidebar=self._frame.wanted,
            inspector=self._frame.inspector_wanted,
        )
        super().closeEvent(event)

    def _remember_order(self, chats: ChatList) -> None:
        """List the chats as they were listed last, and keep how they are from now on."""
        order = next((each for each in Order if each == self._memory.order), Order.USED)
        chats.wish(order=order, opened=self._memory.drawers)
        chats.wishes_changed.connect(lambda: self._memory.keep_chats(chats.order, chats.opened))

    def _lay_out(self) -> None:
        self.setCentralWidget(self._frame)
        self.setMinimumSize(*_SMALLEST)
        self.resize(*_USUAL)
        self.restoreGeometry(self._memory.geometry)
        self._write_title()
        self.page.composer.setFocus()

    def _handlers(self) -> dict[str, Callable[[], None]]:
        look, page = self.appearance, self.page
        return {
            "new-chat": lambda: self._go.begin_new(),
            "incognito-chat": lambda: self.incognito.begin(),
            "choose-model": lambda: self.model_sheets.open_picker(),
            "find-models": lambda: self.model_sheets.find_models(),
            "library": lambda: self.model_sheets.open_library(),
            "add-model": lambda: self._desk.ask_for_file(),
            "unload-model": self._models.unload,
            "previous-chat": lambda: self._go.step(-1),
            "next-chat": lambda: self._go.step(1),
            "import-chats": lambda: self.files.open_import(),
            "export-chat": lambda: self.files.export_shown(),
            "export-all": lambda: self.files.export_all(),
            "copy-chat": lambda: self.files.copy_shown(),
            "deleted": lambda: self._trash.open(),
            "settings": lambda: self._settings.open_settings(),
            "network": lambda: self._settings.open_network(),
            "quit": self._quit,
            "undo": lambda: self._history.undo(),
            "redo": lambda: self._history.redo(),
            "budget": lambda: self.context.open_panel(),
            "stop": self._escape,
            "regenerate": page.regenerate_last,
            "edit-last": page.edit_last,
            "copy-last": page.copy_last,
            "sidebar": lambda: self._frame.show_sidebar(not self._frame.shown),
            "inspector": self._toggle_inspector,
            "find-chat": self._find_chat,
            "find-in-chat": page.open_find,
            "find-next": lambda: page.find_next(1),
            "find-previous": lambda: page.find_next(-1),
            "zoom-in": lambda: look.set_zoom(look.zoom * ZOOM_STEP),
            "zoom-out": lambda: look.set_zoom(look.zoom / ZOOM_STEP),
            "zoom-reset": lambda: look.set_zoom(1.0),
        }

    def _main_menu(self) -> QMenu:
        if sys.platform == "darwin":
            self.actions_by_name.fill_bar(self.menuBar())
        made = rounded(QMenu(self))
        self.actions_by_name.fill_menu(made)
        return made

    def _connect(self) -> None:
        sidebar, page, chat, shelf = self.sidebar, self.page, self._chat, self._shelf
        sidebar.new_requested.connect(self._go.begin_new)
        sidebar.incognito_requested.connect(self.incognito.begin)
        self.incognito.stayed.connect(lambda: shelf.chats.set_open(chat.id))
        sidebar.hide_requested.connect(lambda: self._frame.show_sidebar(False))
        sidebar.view.open_requested.connect(self._go.open)
        sidebar.view.asked.connect(shelf.carry_out)
        sidebar.view.export = self.files.export
        sidebar.view.folder_deleted.connect(shelf.delete_folder)
        sidebar.view.trash_requested.connect(self._trash.open)
        shelf.done.connect(self._history.offer_undo)
        shelf.folder_made.connect(sidebar.view.rename_folder)
        sidebar.results.view.chosen.connect(self._go_to)
        page.returned.connect(self._return_to_search)
        self._desk.picker.show_shortcut(self.actions_by_name.keys("find-models"))
        sidebar.settings_requested.connect(self._settings.open_settings)
        self._settings.sources_changed.connect(self._desk.offers.refresh)
        page.bar.sidebar_requested.connect(lambda: self._frame.show_sidebar(True))
        page.bar.new_requested.connect(self._go.begin_new)
        page.bar.inspector_requested.connect(self._toggle_inspector)
        page.bar.model_requested.connect(self.model_sheets.open_picker)
        page.bar.cancel_requested.connect(self._stop_loading)
        drop = FileDrop(self, self._frame)
        drop.dropped.connect(self.model_sheets.add)
        drop.chats_dropped.connect(self.files.take)
        page.file_requested.connect(self._desk.ask_for_file)
        self.context.context_requested.connect(lambda: self._frame.show_inspector(True))
        self.inspector.desk.changed.connect(self.context.desk.touch)
        page.notices.set_offers(
            {
                "choose-model": Offer(_("Choose a model"), self.model_sheets.open_picker),
                "new-chat": Offer(_("New chat"), self._go.begin_new),
                "retry-save": Offer(_("Try again"), self.pump.retry_save),
            }
        )
        self._frame.sidebar_changed.connect(page.bar.set_sidebar_shown)
        self._frame.inspector_changed.connect(page.bar.set_inspector_shown)
        self._frame.inspector_changed.connect(self._take_inspector)
        self.inspector.close_requested.connect(lambda: self._frame.show_inspector(False))
        self.pump.updated.connect(page.take_update)
        self.pump.lives_changed.connect(self._take_lives)
        self._desk.offers.changed.connect(page.take_arrivals)  # which downloads change, too
        shelf.loaded.connect(self._greet)
        self.first_run.file_requested.connect(self._desk.ask_for_file)
        self.first_run.more_requested.connect(self.model_sheets.open_picker)
        shelf.chat_changed.connect(chat.take_chat)
        chat.opened.connect(self._write_title)
        chat.begun.connect(self._write_title)
        chat.begun.connect(lambda: page.greet(first=False))
        chat.titled.connect(self._write_title)

    def _go_to(self, hit: Hit) -> None:
        self._go.open_message(hit.chat_id, hit.message_id, self._search.query.phrases)

    def _return_to_search(self) -> None:
        if self._search.active:
            self._frame.show_sidebar(True)
            self.sidebar.results.view.enter()

    def _take_change(self, change: Changed) -> None:
        if change.kind in {Kind.CHATS, Kind.MESSAGES, Kind.TREES, Kind.RESTORED}:
            self._search.refresh()
        match change.kind:
            case Kind.CHATS:
                self._shelf.take_changes(change.ids)
                self._trash.refresh()
            case Kind.MESSAGES:
                self._chat.take_messages(change.ids)
                self.model_sheets.refresh()
            case Kind.FOLDERS:
                self._shelf.load_folders()
            case Kind.TREES:
                self._chat.take_tree(change.ids)
                self._shelf.look_for_deleted()
                self._trash.refresh()
            case Kind.DAMAGE:
                tell_damage(self._poster, self._backups, self.page.notices)
            case Kind.RESTORED:
                self._go.start_over()
            case Kind.UNDO:
                self._history.take_steps()
            case Kind.SUMMARIES:
                self._chat.horizon.take_summaries(change.ids)
            case Kind.DOWNLOADS:
                self._downloads.refresh()
            case Kind.NETWORK:
                self._settings.take_contacts()
            case Kind.MODELS | Kind.ENGINE:
                self.page.show_models(searched=change.kind is Kind.MODELS)
                self.context.take_engine()
                self._desk.show_models()
                self.inspector.desk.refresh()
                if change.kind is Kind.MODELS:
                    self.model_sheets.take_models()

    def _take_lives(self) -> None:
        running = (live for live in self._conversation.live.values() if live.phase is Phase.RUNNING)
        self._shelf.chats.set_live(live.message.chat_id for live in running)
        self.page.take_lives()

    def _greet(self) -> None:
        first = self._shelf.chats.empty
        self.page.greet(first=first)
        if first and not self._introduced:
            self._introduced = True
            self._desk.offers.introduce()

    def _escape(self) -> None:
        if not self._frame.uncover():
            self.page.escape()

    def _toggle_inspector(self) -> None:
        self._frame.show_inspector(not self._frame.inspector_shown)

    def _take_inspector(self, shown: bool) -> None:
        self.inspector.set_over(self._frame.inspector_over)
        self.inspector.set_shown(shown)

    def _know_choices(self) -> None:
        self.page.show_models()
        self.inspector.desk.look()

    def _quit(self) -> None:
        self.close()

    def _stop_loading(self) -> None:
        status = self._models.status
        self._models.cancel_loading()
        if status.model is not None and status.loading is not None:
            self._conversation.stop_loading(status.model)

    def _find_chat(self) -> None:
        self._frame.show_sidebar(True)
        self.sidebar.focus_search()

    def _write_title(self) -> None:
        chat = self._chat.state.chat
        if chat is None:
            self.setWindowTitle("Fireside")
        else:  # a title of the window is seen, and kept, by others
            name = _("Incognito chat") if chat.incognito else shown_title(chat)
            self.setWindowTitle(f"{name} – Fireside")


def _application() -> QApplication:
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        raise TypeError("The window needs a QApplication first.")
    return application
