"""What no one caught: a UserError is shown, anything else is a bug, logged and said once."""

import logging
import sys
import threading
import traceback
from types import TracebackType

from app.domain.errors import UserError
from app.domain.language import _
from app.ui.post import Poster

_log = logging.getLogger("fireside.crash")


class CrashReporter:
    """Takes over the hooks for uncaught exceptions on every thread."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self._told = False

    def install(self) -> None:
        """Take over the hooks of the interpreter and of its threads."""
        sys.excepthook = self._caught
        threading.excepthook = self._caught_on_thread
        sys.unraisablehook = lambda raised: self._caught(
            raised.exc_type, raised.exc_value, raised.exc_traceback
        )

    def _caught_on_thread(self, raised: threading.ExceptHookArgs) -> None:
        if raised.exc_type is not SystemExit:
            self._caught(raised.exc_type, raised.exc_value, raised.exc_traceback)

    def _caught(
        self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, UserError):
            self._poster.report(error)
            return
        if not issubclass(kind, Exception):  # KeyboardInterrupt and its like end the program
            sys.__excepthook__(kind, error or kind(), trace)
            return
        # The words of an exception may be a person's own: only its kind and place are logged.
        _log.critical("%s\n%s", kind.__qualname__, "".join(traceback.format_tb(trace)))
        if not self._told:
            self._told = True
            self._poster.report(
                UserError(
                    _("Something went wrong in Fireside."),
                    _("Your chats are safe. If something looks wrong from now on, start Fireside again."),
                )
            )
