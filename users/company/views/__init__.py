"""The pages of a customer as a whole."""
