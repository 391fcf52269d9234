"""SIP over TLS with phones that look at the node's certificate, and sound that is encrypted or not at all."""

import ssl
import subprocess

import pytest

from asterisk.tests.saving import save

pytestmark = pytest.mark.calls


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Somebody whose certificates the phones believe."""
    made = tmp_path_factory.mktemp("authority") / "authority.pem"
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Autorité", "-keyout", str(made.with_suffix(".key")),
        "-out", str(made),
    )  # fmt: skip
    return made


@pytest.fixture
def certified(authority, engine, tmp_path):
    """Gives the node a certificate of the authority's for a name, and starts it again."""

    def made(names):
        certificate, key = tmp_path / "node.pem", tmp_path / "node.key"
        openssl(
            "req", "-x509", "-CA", str(authority), "-CAkey", str(authority.with_suffix(".key")), "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=node", "-addext", f"subjectAltName={names}", "-keyout", str(key), "-out", str(certificate),
        )  # fmt: skip
        return str(certificate), str(key)

    def given(names):
        engine.values["TLS_CERTIFICATE"], engine.values["TLS_KEY"] = made(names)
        engine.stop()
        engine.start()

    given.made = made
    return given


def test_a_phone_registers_where_the_certificate_is_the_nodes_and_encrypts_everything(
    phones, engine, certified, authority, boreale, amelie, felix
):
    save([amelie, felix], srtp="enforced")
    secret = {"transport": "tls", "srtp": "mandatory", "authorities": str(authority)}
    one = phones.of(amelie, register=False, tone=440, **secret)
    # One that the node signed itself, and one of the authority's for somebody else.
    assert one.register() >= 500
    certified("DNS:elsewhere.example")
    assert one.register() >= 500
    certified("IP:127.0.0.1")
    assert one.register() == 200
    other = phones.of(felix, answer="at once", tone=700, **secret)
    call = one.call("102")
    assert call.hears(700, 0.2)
    heard = other.incoming()
    assert heard.hears(440, 0.2)
    assert (call.srtp, heard.srtp, heard.invite.encrypted) == (True, True, True)
    # Another one is taken up without the end of a call.
    before = served(engine)
    certified.made("DNS:renewed.example,IP:127.0.0.1")
    engine.cli("module reload res_pjsip.so")
    engine.wait_until(lambda: served(engine) != before, "the new one is shown")
    assert call.hears(700, call.heard_for(700) + 0.3)
    assert one.register() == 200


def served(engine):
    """The certificate that the node shows."""
    return ssl.get_server_certificate(("127.0.0.1", int(engine.values["SIP_TLS_PORT"])))
