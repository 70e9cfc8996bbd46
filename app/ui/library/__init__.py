"""The models on this computer, to look at and to keep in order."""
