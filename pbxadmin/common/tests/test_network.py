"""One function judges an address, and it is asked wherever something is sent to one that somebody could have chosen."""

import ast
from ipaddress import ip_address

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

from pbxadmin.common.values.network import Why, read, refusal
from pbxadmin.tests.test_secrets_read import sources

pytestmark = pytest.mark.slow("reads all the sources")


@pytest.mark.parametrize(
    ("why", "texts"),
    [
        (Why.NOBODY, ["0.0.0.0", "::", "224.0.1.75", "239.1.1.1", "255.255.255.255", "ff02::1"]),
        (Why.OURSELVES, ["127.0.0.1", "127.8.9.10", "0.1.2.3", "::1"]),
        (Why.LINK, ["169.254.0.23", "fe80::1", "fec0::1"]),
        (
            Why.METADATA,
            ["169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254",
             "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "fd00:a9fe:a9fe::1", "fd12:3456::254",
             "fd12:3456::a9fe:a9fe"],
        ),
        (
            Why.DISGUISED,
            ["::ffff:7f00:1", "::7f00:1", "::ffff:0:7f00:1", "2002:7f00:1::", "2001::7f00:1",
             "64:ff9b::7f00:1", "64:ff9b:1::a9fe:a9fe", "2607:f8b0::5efe:7f00:1", "fd12::200:5efe:c0a8:1"],
        ),
        (Why.RESERVED, ["240.0.0.1", "192.88.99.1", "100::1", "3fff::1", "4000::1"]),
        (None, ["10.0.0.7", "172.16.3.4", "192.168.1.20", "100.64.0.9", "24.48.0.1", "2607:f8b0::1", "fd12::7"]),
    ],
)  # fmt: skip
def test_what_can_be_a_device_and_why_the_rest_cant(why: Why | None, texts: list[str]) -> None:
    assert {text: refusal(ip_address(text)) for text in texts} == dict.fromkeys(texts, why)


@pytest.mark.parametrize(
    "text",
    ["localhost", "localhost.", "2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "010.0.0.1",
     "10.0.0.1.", "10.0.0.1 ", "10.0.0.1\n", "١٠.0.0.1", "2001:DB8::1", "2001:db8:0:0::1", "fe80::1%eth0",
     "[::1]", "", "metadata.google.internal"],
)  # fmt: skip
def test_names_and_other_spellings_are_no_address(text: str) -> None:
    assert isinstance(read(text), Why)


# Who opens a connection or sends a packet, and why nobody chooses where to.
OPENERS = {
    "phones/push/notify/transport.py": "what `targets.address_of` has judged",
    "phones/push/notify/sip.py": "asks for the route to the same address; sends nothing",
    "signin/oidc.py": "the providers' own hosts, over HTTPS, a redirection isn't followed",
    "pbxadmin/run/launcher.py": "what it started itself",
    "pbxadmin/front/upstream.py": "the Unix sockets of the settings",
    "asterisk/ami/client.py": "the nodes that managers of the support team entered",
    "asterisk/link/ari.py": "the same nodes, for recordings",
    "asterisk/engine/ports.py": "free ports of this machine; sends nothing",
    "phones/virtual/fetching.py": "a phone in software, with the address of whoever starts it",
    "phones/virtual/listening.py": "the same, answering",
}
OPENING = {
    "socket", "create_connection", "HTTPConnection", "HTTPSConnection", "urlopen", "open_connection", "open_unix_connection",
    "create_datagram_endpoint", "connect_ex", "sendto", "sock_connect", "SMTP", "getaddrinfo", "gethostbyname", "urlretrieve",
}  # fmt: skip
LIBRARIES = {
    "requests",
    "httpx",
    "aiohttp",
    "urllib3",
    "ldap3",
    "ldap",
    "pysftp",
    "paramiko",
    "ftplib",
    "telnetlib",
}


def test_who_opens_connections_is_one_list() -> None:
    found = set()
    for name, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                if called in OPENING:
                    found.add(name)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                modules = [each.name for each in node.names] + [getattr(node, "module", None) or ""]
                assert not LIBRARIES & {module.partition(".")[0] for module in modules}, name
    assert found == OPENERS.keys()


# Which columns hold an address or a host, and what keeps them from being a place of our own.
HOSTS = {
    "phones.Sbc.address": "judged by `phones.sites.sections.address_is_reachable`",
    "phones.Phone.fetched_from": "where a fetch came from; judged when something is sent there",
    "users.Customer.fqdn": "a name with a top-level domain, entered by support; phones look it up, the portal never does",
    "users.Customer.google_hosted_domain": "compared alone",
}


def test_which_columns_hold_a_host_is_one_list() -> None:
    found = set()
    for model in apps.get_models():
        if not (settings.BASE_DIR / model._meta.app_label).is_dir():
            continue
        for field in model._meta.concrete_fields:
            addressed = isinstance(field, (models.GenericIPAddressField, models.URLField))
            if addressed or any(getattr(each, "code", "") == "host" for each in field.validators):
                found.add(f"{model._meta.app_label}.{model.__name__}.{field.name}")
    assert found == HOSTS.keys()
