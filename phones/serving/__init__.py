"""What devices fetch."""
