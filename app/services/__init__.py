"""What a person does, one use case a module."""

from dataclasses import dataclass

from app.services.adoption import Adoption
from app.services.backups import Backups
from app.services.benchmark import Benchmark
from app.services.budget import Budgets
from app.services.choices import ModelChoices
from app.services.contacts import Contacts
from app.services.conversation import Conversation
from app.services.discovery import Discovery
from app.services.downloads import Downloads
from app.services.exporting import Exporting
from app.services.history import History
from app.services.hubs import Hubs
from app.services.importing import Importing
from app.services.incognito import Incognito
from app.services.inspection import Inspection
from app.services.keeping import Keeping
from app.services.long_reading import LongReadings
from app.services.model_facts import ModelFacts
from app.services.models import Models
from app.services.network import Network
from app.services.preferences import Preferences
from app.services.prospects import Prospects
from app.services.questions import Questions
from app.services.recommendations import Recommendations
from app.services.snapshots import Snapshots
from app.services.trash import TrashCan
from app.storage.database import Database
from app.storage.folders import Folders


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the window and the terminal work with, built by app.main."""

    folders: Folders
    database: Database
    history: History
    incognito: Incognito
    backups: Backups
    importing: Importing
    exporting: Exporting
    conversation: Conversation
    budgets: Budgets
    models: Models
    facts: ModelFacts
    questions: Questions
    preferences: Preferences
    benchmark: Benchmark
    choices: ModelChoices
    inspection: Inspection
    keeping: Keeping
    long_readings: LongReadings
    hubs: Hubs
    network: Network
    contacts: Contacts
    snapshots: Snapshots
    trash: TrashCan
    discovery: Discovery
    downloads: Downloads
    recommendations: Recommendations
    adoption: Adoption
    prospects: Prospects
