"""Many users changed at once: the tabs with a box before each field, a preview of who changes from what to what, one operation."""
