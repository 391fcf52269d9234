"""What strangers reach: the Talk and Meet pages of people and places."""
