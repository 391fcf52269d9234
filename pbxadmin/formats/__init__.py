"""How dates and times are written, where Django's own files say it wrongly."""
