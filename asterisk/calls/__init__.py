"""Calls as they were planned and as they went: "Latest calls" of a person."""
