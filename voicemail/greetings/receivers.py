"""What a change of greetings means for their sounds: noted in its own transaction."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model

from users.models import Operation, User
from users.signals import changed
from voicemail.greetings import sounds
from voicemail.models import Greeting


def connect() -> None:
    """Listen to the changes of greetings, and of people whose libraries go with them."""
    changed.connect(sounds_are_released, dispatch_uid="sounds are released")


def sounds_are_released(sender: type[Model], rows: Sequence[Any], operation: Operation, **rest: Any) -> None:
    """A sound that no library has any more is kept for a while from now on; one that comes back stays."""
    if sender is Greeting:
        keys = {row.record.sound_id for row in rows}
        keys |= {key for row in rows for key in row.changes.get("sound", ())}
        sounds.settle(keys - {None})
    elif sender is User and (gone := [row.key for row in rows if row.removed]):
        sounds.let_go(gone)
