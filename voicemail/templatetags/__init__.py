"""Tags of the pages of greetings."""
