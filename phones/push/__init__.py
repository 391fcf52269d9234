"""From a change to a phone that holds it."""
