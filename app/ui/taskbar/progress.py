"""How far all downloads together are, shown by the system: one way for each."""

import sys
from collections.abc import Callable

from PySide6.QtWidgets import QWidget

Show = Callable[[float | None], None]
"""Shows a part from 0 to 1 of the whole, or that nothing is on its way."""


def shown_by_system(window: QWidget) -> Show:
    """Return what shows progress beside the icon of `window`; nothing where the system has no such thing.

    To be called when there is first something to show: before that it costs nothing.
    """
    if sys.platform == "darwin":
        from app.ui.taskbar import dock as system
    elif sys.platform == "win32":
        from app.ui.taskbar import button as system
    else:
        from app.ui.taskbar import launcher as system
    return system.show_on(window)


class TaskbarProgress:
    """Tells the system when the progress is another by a whole percent, and once when it is over.

    `show` is called again and again while something is on its way.
    """

    def __init__(self, window: QWidget, choose: Callable[[QWidget], Show] = shown_by_system) -> None:
        """Name the window; nothing is asked of the system yet."""
        self._window, self._choose = window, choose
        self._show: Show | None = None
        self._percent: int | None = None

    def show(self, part: float | None) -> None:
        """Show a part from 0 to 1 of the whole; None when nothing is on its way."""
        percent = None if part is None else round(100 * min(max(part, 0.0), 1.0))
        if percent == self._percent:
            return
        if self._show is None:  # the first word follows with the next call: together they would take long
            self._show = self._choose(self._window)
            return
        self._percent = percent
        self._show(None if percent is None else percent / 100)
