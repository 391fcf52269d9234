"""Pages that gather what all apps have: the way in, one's own page, what stands around every page."""
