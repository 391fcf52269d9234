"""Dates and times as Québec writes them; the rest is Django's.

Django's file has "H h i", where the h between hours and minutes is a format letter too: 20:45 became "20 08 45".
"""

TIME_FORMAT = "G\xa0\\h\xa0i"  # 13 h 40
DATETIME_FORMAT = "j F Y, G\xa0\\h\xa0i"  # 31 janvier 2024, 13 h 40
SHORT_DATETIME_FORMAT = "Y-m-d G\xa0\\h\xa0i"  # 2024-01-31 13 h 40
