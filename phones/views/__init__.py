"""The pages of a person's phones."""
