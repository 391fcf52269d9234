"""Québec."""
