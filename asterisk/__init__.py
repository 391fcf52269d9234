"""The phone system: what Asterisk asks the portal, what the portal tells it, and what it tells of calls."""
