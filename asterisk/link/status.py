"""How the link to a node is, in words for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from asterisk.models import Node
from pbxadmin.common.clock import moment_in_zone

# A node is asked every two seconds whether it is there.
HEARD_WITHIN = timedelta(seconds=10)

# What `Node.trouble` holds, and what it means. No text of the node itself is kept: it could be anything.
TROUBLES: Mapping[str, str | Promise] = {
    "refused": gettext_lazy("Nothing answers at its address: it is stopped, or its AMI port is another one."),
    "silent": gettext_lazy("It doesn't answer in time: it hangs, or the network between us is cut."),
    "password": gettext_lazy(
        "It refuses our password: give its configuration the password of this node and restart it."
    ),
    "protocol": gettext_lazy("What answers at its address isn't the manager interface of Asterisk."),
    "closed": gettext_lazy("The connection ended: it is restarting, or somebody cut it."),
}


# What `Node.ari_trouble` holds.
SAYS_NOTHING, REFUSES = "silent", "password"
DEVICES_STAY: Mapping[str, str | Promise] = {
    SAYS_NOTHING: gettext_lazy(
        "Devices are registered there that shouldn't be any more: its HTTP port (ARI) doesn't answer as it should. They are removed as soon as it "
        "does, and end by themselves within an hour."
    ),
    REFUSES: gettext_lazy(
        "Devices are registered there that shouldn't be any more: its HTTP port (ARI) refuses our password. They are removed as soon as it doesn't, "
        "and end by themselves within an hour."
    ),
}


@dataclass(frozen=True)
class Link:
    """`healthy`: whether it is connected and said something lately. `since` is when it connected, else when it was last heard
    of (None for never). `sentence` says both, `trouble` why not (blank where nothing is known), or what else isn't as it should be."""

    healthy: bool
    since: datetime | None
    sentence: str
    trouble: str


def status(node: Node, now: datetime | None = None) -> Link:
    """How the link to `node` is; no query."""
    now = now or timezone.now()
    alive = node.heard_at is not None and now - node.heard_at < HEARD_WITHIN
    if node.connected_at is not None and alive:
        return Link(True, node.connected_at, _("connected"), str(DEVICES_STAY.get(node.ari_trouble, "")))
    trouble = str(TROUBLES.get(node.trouble, ""))
    if not trouble and not _is_held(node, now):
        trouble = _("No worker holds the link: start the process “link”.")
    if node.heard_at is None:
        return Link(False, None, _("never connected"), trouble)
    return Link(False, node.heard_at, _("not connected"), trouble)


def as_known(said: Any, node: Node) -> str:
    """What is known of a node by its link alone, with until when it was known where nobody hears the node now."""
    link = status(node)
    if link.healthy:
        return str(said)
    if link.since is None:
        return ""
    when = moment_in_zone(link.since, timezone.get_current_timezone_name())
    return _("%(what)s (as last known at %(when)s)") % {"what": said, "when": when}


def _is_held(node: Node, now: datetime) -> bool:
    return node.held_until is not None and node.held_until > now
