"""People with an extension: their tabs, the list, what may be done with them."""
