"""Models on their way to this computer, as they are shown."""
