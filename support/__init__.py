"""The support desk: Django's admin over all customers, for the provider's staff."""
