"""What was said, found by its words in all chats: below the chats whose titles have them."""
