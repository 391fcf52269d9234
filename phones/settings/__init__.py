"""A phone's settings: the tab “Téléphone IP”."""
