"""The QR code of a person sets up an app that registers and calls: read by a library that isn't ours, as the app would."""

import io
import re
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import zxingcpp
from django.test import Client
from django.urls import reverse
from PIL import Image

from asterisk.tests.raw import RawSip
from asterisk.tests.saving import save
from signin.tests.signing import sign_in_fully
from users.mail.links import NAMESPACE

pytestmark = pytest.mark.calls


def test_what_the_qr_code_leads_to_is_all_that_an_app_needs(
    phones, engine, settings, boreale, amelie, felix, ines
):
    settings.SIP_SERVER, settings.SIP_PORT = engine.sip
    settings.SIP_TLS_PORT = int(engine.values["SIP_TLS_PORT"])
    save(felix, srtp="enabled")
    save(ines, srtp="enforced")
    other = phones.of(felix, answer="at once", tone=700)
    with RawSip(engine.sip, "127.0.0.9") as raw:
        asked = raw.ask("REGISTER", f"sip:{boreale.fqdn}", caller=f"<sip:101@{boreale.fqdn}>")
    realm = re.search('realm="([^"]+)"', asked.header("WWW-Authenticate"))[1]
    for person, transport in ((amelie, "tcp"), (ines, "tls")):
        client = Client()
        sign_in_fully(client, person)
        client.post(reverse("own_app"))
        picture = Image.open(io.BytesIO(client.get(reverse("own_app_qr")).content))
        [code] = zxingcpp.read_barcodes(picture)
        told = entries(client.get(urlsplit(code.text).path).content)
        number, domain = re.search("<sip:(.+)@(.+)>", told["proxy_0", "reg_identity"]).groups()
        host, port, over = re.fullmatch(
            "<sip:(.+):(.+);transport=(.+)>", told["proxy_0", "reg_route"]
        ).groups()
        assert (over, told["auth_info_0", "realm"]) == (transport, realm)
        assert told["proxy_0", "reg_proxy"] == told["proxy_0", "reg_route"]
        secret = "mandatory" if told["sip", "media_encryption_mandatory"] == "1" else "none"
        app = phones.phone(
            number, domain, told["auth_info_0", "userid"], told["auth_info_0", "passwd"], server=(host, int(port)), transport=over,
            srtp=secret,
        )  # fmt: skip
        call = app.call("102")
        assert call.hears(700, 0.2), transport
        assert call.srtp == (person == ines)
        assert other.incoming().from_name == person.full_name
        call.hangup()


def entries(document):
    """What the document says, by section and name."""
    return {
        (section.get("name"), entry.get("name")): entry.text
        for section in ElementTree.fromstring(document).iter(f"{{{NAMESPACE}}}section")
        for entry in section
    }
