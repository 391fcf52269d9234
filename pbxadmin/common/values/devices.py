"""What rings when a person is called: each device by a key that is its alone, and by what people call it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """A phone, or an app that is woken by PUSH.

    `key` stays the same whatever the device is called and tells two phones of one model apart: "phone:805ec0123456",
    "app:101". `label` is for people (a model's name); "" where only the kind is known, and the reader's language says it.
    """

    key: str
    label: str = ""
    push: bool = False


def phone(mac: str, model: str) -> Device:
    """A desk phone, by its address (twelve hexadecimal digits, as the table keeps it)."""
    return Device(f"phone:{mac}", model)


def app(extension: str) -> Device:
    """The app of whoever has this extension."""
    return Device(f"app:{extension}", push=True)
