"""What a new customer may be called in addresses, proposed from its name: unique among those that there are."""

import re
from collections import Counter
from dataclasses import dataclass

from pbxadmin.common.values.signs import folded
from users.models import Customer

# What stands after the name of a company for the law alone.
_LEGAL_FORMS = frozenset(
    {"inc", "ltee", "ltd", "enr", "senc", "sencrl", "cie", "co", "corp", "llc", "limitee"}
)
# A label of a host name has at most 63 signs, an address in the portal 50; room is left for "-12".
_LONGEST = 40


@dataclass(frozen=True)
class Proposal:
    """An address in the portal and a host name that nobody has; blank where the name says nothing."""

    slug: str = ""
    host: str = ""


def proposed(name: str) -> Proposal:
    """From "Clinique Boréale inc.": clinique-boreale, and clinique-boreale.example.com under the domain that most customers are under."""
    stem = _stem(name)
    if not stem:
        return Proposal()
    there = list(Customer.objects.values_list("slug", "fqdn"))
    slugs = {slug for slug, _host in there}
    hosts = {host.lower() for _slug, host in there}
    domains = Counter(host.partition(".")[2].lower() for host in hosts if "." in host)
    domain = max(domains, key=lambda each: (domains[each], each), default="")
    number = 1
    while True:
        slug = stem if number == 1 else f"{stem}-{number}"
        host = f"{slug}.{domain}" if domain else ""
        if slug not in slugs and host not in hosts:
            return Proposal(slug, host)
        number += 1


def _stem(name: str) -> str:
    words = re.findall(r"[a-z0-9]+", folded(re.sub(r"(?<=\w)[.](?=\w)", "", name[:200])))
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    stem = ""
    for word in words:
        longer = f"{stem}-{word}" if stem else word[:_LONGEST]
        if len(longer) > _LONGEST:
            break
        stem = longer
    return stem
