"""The ways to the public network: their sheet, which of them a customer's calls take, how numbers are written there, and whether they answer."""
