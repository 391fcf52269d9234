"""What rings when a person is called: each device by a key that is its alone, and by what people call it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Device:
    """A phone, or an app that is woken by PUSH.

    `key` stays the same whatever the device is called and tells two phones of one model apart: "phone:805ec0123456",
    "app:101". `label` is for people (a model's name); "" where only the kind is known, and the reader's language says it.
    """

    key: str
    label: str = ""
    push: bool = False
    # Whether it was ever there: a phone that has never asked for its configuration can't have registered.
    seen: bool = field(default=True, compare=False)


def phone(mac: str, model: str, *, seen: bool = True) -> Device:
    """A desk phone, by its address (twelve hexadecimal digits, as the table keeps it)."""
    return Device(f"phone:{mac}", model, seen=seen)


def app(extension: str) -> Device:
    """The app of whoever has this extension."""
    return Device(f"app:{extension}", push=True)
