"""Models on a hub: found, looked at before they are fetched, and sent byte by byte."""
