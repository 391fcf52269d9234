"""Pure values of the trade: no Django, no tables."""
