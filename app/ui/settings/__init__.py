"""What is set for all of Fireside, a section a module."""
