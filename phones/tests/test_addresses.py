"""Where phones are sent: the customer's host name as the domain, and the servers that the settings name."""

from collections.abc import Iterator

import pytest
from django.core.checks import run_checks

from pbxadmin.common.phone_system import SipServer, is_host
from pbxadmin.common.values.configtext import pairs
from pbxadmin.common.values.signalling import Transport
from phones import selectors
from phones.services import phone_file_text
from phones.tests.factories import make_phone
from users.models import User


@pytest.fixture
def written(boreale, amelie) -> Iterator:
    """What the file of Amélie's phone says."""
    phone = make_phone(boreale, amelie)
    return lambda: dict(pairs(phone_file_text(selectors.phone_by_mac(phone.mac))))


def test_a_phone_finds_the_phone_system_under_the_customers_host_name(written):
    found = written()
    assert found["account.1.sip_server.1.address"] == "boreale.example.com"
    assert found["account.1.sip_server.1.port"] == "5060"
    assert found["account.1.outbound_proxy_enable"] == "0"
    assert found["local_time.ntp_server1"] == "pool.ntp.org"


@pytest.mark.parametrize(
    ("srtp", "port", "transport"), [("disabled", "5070", "0"), ("enforced", "5071", "2")]
)
def test_the_settings_name_another_server_with_its_ports(written, settings, amelie, srtp, port, transport):
    settings.SIP_SERVER, settings.SIP_PORT, settings.SIP_TLS_PORT = "pbx.example.net", 5070, 5071
    settings.NTP_SERVERS = ["ntp.example.net", "10.0.0.9"]
    User.objects.filter(pk=amelie.pk).update(srtp=srtp)
    found = written()
    assert found["account.1.sip_server.1.address"] == "boreale.example.com"
    assert (found["account.1.sip_server.1.port"], found["account.1.outbound_proxy.1.port"]) == (port, port)
    assert found["account.1.outbound_proxy.1.address"] == "pbx.example.net"
    assert found["account.1.sip_server.1.transport_type"] == transport
    assert (found["local_time.ntp_server1"], found["local_time.ntp_server2"]) == (
        "ntp.example.net",
        "10.0.0.9",
    )


def test_only_a_port_of_its_own_stands_in_an_address():
    assert (
        SipServer("", 5060, Transport.UDP).uri("boreale.example.com")
        == "sip:boreale.example.com;transport=udp"
    )
    assert SipServer("[2001:db8::5]", 5099, Transport.TLS).uri("x") == "sip:[2001:db8::5]:5099;transport=tls"


@pytest.mark.parametrize("host", ["pbx.example.net", "pbx", "10.0.0.5", "[2001:db8::5]"])
def test_a_host_is_a_name_or_an_address(host):
    assert is_host(host)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIP_SERVER", "sip:pbx.example.net"), ("SIP_SERVER", "2001:db8::5"), ("SIP_SERVER", "[pbx]"), ("SIP_PORT", 0), ("SIP_TLS_PORT", 70000),
        ("NTP_SERVERS", []), ("NTP_SERVERS", ["pool.ntp.org", "pool ntp"]),
    ],
)  # fmt: skip
def test_a_mistyped_address_stops_the_start(settings, name, value):
    assert not [each for each in run_checks() if each.id == "pbxadmin.E001"]
    setattr(settings, name, value)
    (found,) = [each for each in run_checks() if each.id == "pbxadmin.E001"]
    assert name in found.msg
