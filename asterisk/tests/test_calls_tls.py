"""A node whose portal is reached by HTTPS: it says nothing to whoever can't prove to be the portal."""

import ssl
import subprocess
from dataclasses import replace

import pytest

from asterisk.tests.engine import LiveEngine
from asterisk.tests.gate import Gate

pytestmark = pytest.mark.calls

MADE = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout"


@pytest.fixture
def certificate(tmp_path):
    """One of 127.0.0.1 that it signed itself; its key is beside it."""
    made = tmp_path / "portal.pem"
    command = [*MADE.split(), str(made.with_suffix(".key")), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture
def engine_portal(portal, certificate):
    """The portal behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    gate = Gate(portal.url, context)
    yield replace(portal, url=gate.url)
    gate.shut()


def test_a_portal_is_asked_over_https_if_its_certificate_is_known_and_else_not_at_all(
    phones, engine, certificate, boreale, amelie, felix
):
    one = phones.of(amelie, register=False)
    assert one.register() in (401, 403)
    assert "self-signed certificate" in engine.said
    engine.stop()

    def configured():
        LiveEngine.configure(engine)
        with (engine.folders.etc / "res_curl.conf").open("a") as settings:
            settings.write(f"ssl_cainfo = {certificate}\n")

    engine.configure = configured
    engine.start()
    assert one.register() == 200
    other = phones.of(felix, answer="at once", tone=700)
    assert one.call("102").hears(700, 0.2)
    assert other.incoming().from_name == "Amélie Tremblay"
