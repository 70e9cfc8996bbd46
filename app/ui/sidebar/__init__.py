"""The sidebar: all chats, found by a few letters of their titles."""
