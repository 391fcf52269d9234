"""People, phones and what else a customer has, as files: row by row, so that memory doesn't grow with their number."""
