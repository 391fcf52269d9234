"""The library of greetings: its sheet, its files, what is done to them, and its pages."""
