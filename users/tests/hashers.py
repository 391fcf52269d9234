"""Argon2 at its smallest cost, for tests only."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """The same algorithm and format as in production, quick enough for hundreds of people."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
