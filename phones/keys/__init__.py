"""The function keys of a person: the tab “BLF”."""
