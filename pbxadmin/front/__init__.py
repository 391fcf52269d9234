"""What stands before the pages and the phones where no nginx does: it hands over whole requests only."""
