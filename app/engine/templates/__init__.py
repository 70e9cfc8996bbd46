"""Chat templates in Jinja's sandbox: bounded in time and memory, and words that stay words."""
