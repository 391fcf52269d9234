"""Mails to people, and their secret links."""
