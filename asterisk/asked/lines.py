"""The line of a person as Asterisk is to treat it: what the tabs say, in Asterisk's words. Three rows: endpoint, secret, contacts (AOR).

All three have one name, `101@<host name of the customer>`: so Asterisk finds them at its first question, and two customers
with the same extensions never meet. A line that is out of service keeps its endpoint, so that an emergency call passes, and takes no
contact, so that nothing can register on it.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery

from asterisk.asked.negatives import negatives
from asterisk.asked.rows import Value
from asterisk.mailboxes.names import Box
from asterisk.models import Node
from asterisk.nodes import serves
from asterisk.trunks import ways
from pbxadmin.common.crypto import Reader, plain
from pbxadmin.common.prepared import Prepared
from pbxadmin.common.values.signalling import Codec, Srtp
from phones.models import DEFAULT_CODECS, Phone
from users.models import Options, User
from users.people.emergency import emergency_caller_id

# What has the form of a line's name. Whatever hasn't is answered without a query: addresses of contacts, what scanners try.
NAME = re.compile(r"([0-9]{2,5})@([a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?)\Z")
IN_NUMBERS = re.compile(r"[0-9.]+\Z")

CODECS = {Codec.PCMU: "ulaw", Codec.PCMA: "alaw", Codec.G722: "g722", Codec.G729: "g729"}
# In which language Asterisk speaks; it has no prompts in another one.
PROMPTS = {"fr": "fr", "en": "en", "es": "es"}
# Seconds: what phones ask for is within these.
EXPIRES = {"minimum_expiration": 60, "default_expiration": 300, "maximum_expiration": 3600}
MOST_DEVICES = 12
# Bytes of a name that Asterisk keeps; it would cut a longer one in the middle of a letter.
LONGEST_NAME = 79
# Seconds without a packet of sound after which a call ends: a device that lost its power or its network never says so.
SILENT: Mapping[str, Value] = {"rtp_timeout": 300, "rtp_timeout_hold": 3600}


def named(number: str, fqdn: str) -> str:
    """The name of a line: endpoint, secret and AOR in one."""
    return f"{number}@{fqdn.lower()}"


def parts(name: str) -> tuple[str, str] | None:
    """The extension and the host name in a line's name; None for what can't be one."""
    found = NAME.match(name)
    if found is None or IN_NUMBERS.match(found[2]):
        return None
    return found[1], found[2]


def _person(number: Any, fqdn: Any) -> Any:
    phones = Phone.objects.filter(user=OuterRef("pk")).order_by("pk").values("codecs")
    return (
        User.objects.filter(number=number, customer__fqdn=fqdn)
        .select_related("customer__stamp", "primary_department", "mailbox")
        .annotate(phone_codecs=Subquery(phones[:1]))
        .defer("password", "search_text", "desk_columns", "list_columns", "mailbox__pin")
        .order_by()
    )


_people = Prepared(_person)


def person_of(name: str, node: Node) -> User | None:
    """Whose line it is, if the node may know: one prepared statement, or none for what can't be a line or is known to be nobody's."""
    found = parts(name)
    if found is None or (known := negatives.look(*found)).nobody:
        return None
    person = next(_people.records(*found), None)
    if person is None:
        negatives.missed(*found, known)
        return None
    return person if serves(node, person.customer_id) else None


# --- The three rows ----------------------------------------------------------------------------------------------------
def endpoint(name: str, person: User) -> dict[str, Value]:
    """How calls from and to the line are treated."""
    customer, department = person.customer, person.primary_department
    assert customer is not None, "support staff have no line"
    assert department is not None
    codecs = ",".join(codecs_of(person.phone_codecs or DEFAULT_CODECS))  # type: ignore[attr-defined]
    direct = not person.pbx_delivers_audio and person.recording == Options.Recording.OFF
    return {
        "aors": name,
        "auth": name,
        "context": "phones",
        "disallow": "all",
        "allow": codecs,
        "direct_media": direct,
        # A device is where it speaks from: one that names another place would have us call there, such as a SIP trunk that believes our address.
        "rewrite_contact": True,
        # Whoever calls may say that anybody sent them.
        "send_diversion": False,
        "callerid": caller(person.full_name, person.number),
        "language": prompts(department.language),
        # Also while it is off: Asterisk follows it from a device's first registration on, and takes up no other one later.
        "mailboxes": str(Box(person.number, person.pk)),
        "media_encryption": "no" if person.srtp == Srtp.DISABLED else "sdes",
        "media_encryption_optimistic": person.srtp == Srtp.ENABLED,
        **SILENT,
        "set_var": [
            f"who={person.number}",
            f"SYSTEM={customer.fqdn.lower()}",
            f"CUSTOMER={customer.slug}",
            # What is offered to the device where it is called: of itself Asterisk keeps the order of whoever calls.
            f"PJSIP_MEDIA_OFFER(audio)=!all,{codecs}",
            f"EMERGENCY={emergency_caller_id(department, customer)}",
            f"WAYS={ways.to('911', ways.of(customer))}",
        ],
        **reachable_from(person),
    }


def secret(person: User) -> dict[str, Value]:
    """What a device must know: the digest of it, never the password itself. One realm for all, so that none tells what there is."""
    known = (
        f"{person.sip_auth_id}:{settings.SIP_REALM}:{plain(person, User.sip_password, Reader.PHONE_SYSTEM)}"
    )
    digest = hashlib.md5(known.encode(), usedforsecurity=False).hexdigest()
    return {
        "auth_type": "md5",
        "username": person.sip_auth_id,
        "realm": settings.SIP_REALM,
        "md5_cred": digest,
    }


def contacts(person: User) -> dict[str, Value]:
    """What may be registered on the line: nothing while it is out of service."""
    return {
        "max_contacts": MOST_DEVICES if person.is_active else 0,
        "remove_unavailable": True,
        # A device that names a way to itself would have its calls go that way, such as to a SIP trunk that believes our address.
        "support_path": False,
        **EXPIRES,
    }


def codecs_of(order: str) -> Iterator[str]:
    """Asterisk's names of codecs, in the order of the phone's tab."""
    return (CODECS[Codec(each)] for each in order.split(","))


def prompts(language: str) -> str:
    """In which language Asterisk speaks with somebody of this language."""
    return PROMPTS.get(language[:2], "en")


def caller(name: str, number: str) -> str:
    """The caller ID that colleagues see. What would end a quoted name isn't in it."""
    said = re.sub(r'["\\<>\x00-\x1f\x7f]', "", name).encode()[:LONGEST_NAME].decode(errors="ignore")
    return f'"{said}" <{number}>'


def reachable_from(person: User) -> dict[str, Value]:
    """From which networks devices may use the line, where that is limited."""
    if not person.block_remote:
        return {}
    return {"deny": "0.0.0.0/0.0.0.0,::/0", "permit": ",".join(settings.SIP_LOCAL_NETWORKS)}
