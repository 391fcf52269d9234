"""SIP trunks as Asterisk reads them: endpoint, contact and secret of each, and where they call from, all of them at once.

A request is a trunk's if it comes from one of its addresses, whatever it says of itself, and nothing else ever is.
"""

import re
from collections.abc import Iterable, Mapping

from asterisk.asked import strangers
from asterisk.asked.lines import SILENT
from asterisk.asked.rows import Value
from asterisk.models import Node, Trunk
from asterisk.nodes import serves
from asterisk.trunks import ways
from asterisk.trunks.line import TrunkLine
from pbxadmin.common.crypto import Reader, plain

NAME = re.compile(r"trunk-([1-9][0-9]{0,9})\Z")
CODECS = "ulaw,alaw,g722,g729"
# Seconds between two questions whether a trunk is there.
ASKED_EVERY = 30

Row = Mapping[str, Value]


def is_name(name: str) -> bool:
    """Whether this is the name of a trunk."""
    return NAME.match(name) is not None


def serves_trunk(node: Node, line: TrunkLine) -> bool:
    """Whether a node has this trunk: the provider's, and those of its own customers."""
    return line.customer is None or serves(node, line.customer)


def single(table: str, name: str, node: Node) -> Iterable[Row]:
    """The row of one trunk, or none."""
    found = NAME.match(name)
    line = ways.one(int(found[1])) if found else None
    make = {"ps_endpoints": endpoint, "ps_aors": contact, "ps_auths": secret}.get(table)
    return [{"id": name, **row}] if line and make and serves_trunk(node, line) and (row := make(line)) else []


def names(node: Node) -> list[str]:
    """The names of all trunks that a node has."""
    return [line.name for line in ways.at_node() if serves_trunk(node, line)]


def all_of(table: str, node: Node) -> Iterable[Row]:
    """Where all trunks call from, and at last whoever else calls (`ps_identifies`), or where this phone system registers (`ps_registrations`)."""
    lines = [line for line in ways.at_node() if serves_trunk(node, line)]
    if table == "ps_identifies":
        return [*map(identify, lines), strangers.IDENTIFY]
    return [registration(line) for line in lines if line.registers]


def endpoint(line: TrunkLine) -> Row:
    """How calls go out there and come in."""
    return {
        "aors": line.name,
        "context": "trunks",
        # By its address alone: nobody becomes a trunk by saying its name.
        "identify_by": "ip",
        "allow_transfer": False,
        "disallow": "all",
        "allow": CODECS,
        "direct_media": False,
        "send_pai": True,
        "send_diversion": True,
        "trust_id_outbound": True,
        "language": "fr",
        "transport": line.transport,
        **SILENT,
        **({"outbound_auth": line.name} if line.username else {}),
    }


def contact(line: TrunkLine) -> Row:
    """Where it is."""
    return {"contact": address(line), "qualify_frequency": ASKED_EVERY, "max_contacts": 1}


def secret(line: TrunkLine) -> Row | None:
    """With what we sign in there."""
    if not line.username:
        return None
    password = plain(Trunk.objects.get(pk=line.id), Trunk.trunk_password, Reader.PHONE_SYSTEM)
    return {"auth_type": "userpass", "username": line.username, "password": password}


def identify(line: TrunkLine) -> Row:
    """From where its calls come."""
    return {"id": line.name, "endpoint": line.name, "match": ",".join(line.networks) or line.host}


def registration(line: TrunkLine) -> Row:
    """Where we register, so that calls come in without an address of ours known there."""
    return {
        "id": line.name,
        "server_uri": address(line),
        "client_uri": f"sip:{line.username}@{line.host}",
        "contact_user": line.username,
        "outbound_auth": line.name,
        "transport": line.transport,
        "line": True,
        "endpoint": line.name,
        "retry_interval": 30,
        # At once: a node has few of them, and until then nobody is reached from outside.
        "max_random_initial_delay": 0,
    }


def address(line: TrunkLine) -> str:
    """Where SIP goes."""
    host = f"[{line.host}]" if ":" in line.host else line.host
    return f"sip:{host}:{line.port};transport={line.transport}"
