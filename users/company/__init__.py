"""What belongs to a customer as a whole."""
