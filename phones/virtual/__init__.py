"""A phone without a desk: fetches, obeys check-sync and restarts as a Yealink does, for demo and tests.

It is the other side of the portal's two protocols, so it stands alone: the standard library only, and not one
line of what renders the phone files or sends the NOTIFY.
"""

from phones.virtual.phone import Fetched, Notified, VirtualPhone

__all__ = ["Fetched", "Notified", "VirtualPhone"]
