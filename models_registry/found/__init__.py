"""Models of other apps on this computer, found where they lie: nothing is copied, moved or written."""
