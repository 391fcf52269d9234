"""Which phone of ours a registered device is, where that is certain: its registration is a sign of life."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from phones.models import Phone
from phones.vendors import identify


@dataclass(frozen=True)
class Device:
    """A registered device: whose, what it says it is, and from where it came (without the port)."""

    user: int
    user_agent: str
    host: str


def macs_of(devices: Iterable[Device]) -> Mapping[Device, str]:
    """The MAC of each device that is certainly a phone of its person's: one query.

    By the MAC that it says, else by the model that it says it is: the person's only phone of this model, or, of several, the only one that fetches
    its file from the same address. What says nothing of itself that a maker's phone would (an app) is nobody's desk phone.
    """
    said = {device: agent for device in devices if (agent := identify(device.user_agent)) is not None}
    phones: dict[int, list[Phone]] = defaultdict(list)
    if said:
        people = {device.user for device in said}
        for phone in Phone.objects.filter(user__in=people).only(
            "pk", "mac", "model", "user_id", "fetched_from"
        ):
            phones[phone.user_id or 0].append(phone)
    found: dict[Device, str] = {}
    for device, agent in said.items():
        like = [
            each for each in phones[device.user] if agent.slug == each.model and agent.mac in (None, each.mac)
        ]
        if len(like) > 1:
            like = [each for each in like if each.fetched_from == device.host]
        if len(like) == 1:
            found[device] = like[0].mac
    return found
