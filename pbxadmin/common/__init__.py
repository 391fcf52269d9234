"""The kit: no models, imports no app."""
