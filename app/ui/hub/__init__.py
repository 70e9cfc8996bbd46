"""Finding a model at a hub: the search, and the page of one model."""
