"""What a person does, one use case a module."""
