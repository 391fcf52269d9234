"""Files in and out: people, phones and what else a customer has, many at once."""
