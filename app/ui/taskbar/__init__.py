"""How far downloads are, where the system shows its programs: the Dock, the taskbar, the launcher."""
