"""An Asterisk whose phones and numbers stand in files: for tests of the phones themselves, without any portal."""

from collections.abc import Iterator

import pytest

from asterisk.engine.configuration import _write
from asterisk.engine.engine import Engine
from asterisk.engine.fetching import Installed
from asterisk.engine.ports import UDP_AND_TCP, free_port, free_ports

DOMAIN = "boreale.example"
PHONES = {
    "101": 'callerid = "Amélie Tremblay" <101>',
    "102": "",
    "103": "media_encryption = sdes",
    "104": "direct_media = yes",
    "105": "direct_media = yes",
    "106": "",
}
PHONE = """
[{id}]
type = endpoint
context = in
subscribe_context = in
disallow = all
allow = ulaw,alaw,g722
direct_media = no
send_pai = yes
auth = {id}
aors = {id}
{more}
[{id}]
type = auth
auth_type = userpass
username = auth{number}
password = secret
[{id}]
type = aor
max_contacts = 5
{waiting}
"""
PROVIDER = """
[provider]
type = endpoint
context = from-outside
disallow = all
allow = ulaw
direct_media = no
send_pai = yes
aors = provider
[provider]
type = aor
contact = sip:127.0.0.2:{port}
[provider]
type = identify
endpoint = provider
match = 127.0.0.2
"""
NUMBERS = """
[in]
exten => _10X,1,Dial(${PJSIP_DIAL_CONTACTS(${EXTEN}@%(domain)s)},20,c)
 same => n,ExecIf($["${DIALSTATUS}" = "BUSY"]?Hangup(17))
 same => n,Hangup(${HANGUPCAUSE})
exten => _10X,hint,PJSIP/${EXTEN}@%(domain)s
exten => tone,1,Answer()
 same => n,Milliwatt()
exten => prompt,1,Answer()
 same => n,Playback(vm-intro)
exten => ringing,1,Progress()
 same => n,Playtones(440+480/2000,0/4000)
 same => n,Wait(3)
 same => n,Hangup(17)
exten => digits,1,Answer()
 same => n,Read(digits,,4,,1,5)
 same => n,SendDTMF(${digits})
 same => n,Wait(5)
exten => message,1,VoiceMail(102@default,s)
exten => _NXXNXXXXXX,1,Set(CALLERID(num)=5145550100)
 same => n,Dial(PJSIP/${EXTEN}@provider,20)
 same => n,Hangup(${HANGUPCAUSE})
[from-outside]
exten => 5145550101,1,Dial(${PJSIP_DIAL_CONTACTS(101@%(domain)s)},20,c)
exten => 5145550102,1,Transfer(PJSIP/sip:5145550188@127.0.0.2)
"""
# Waiting messages are subscribed to under an extension alone.
BOXES = ("102", "106")
MESSAGES = "".join(f"\n[{number}]\ntype = aor\nmailboxes = {number}@default\n" for number in BOXES)
VOICEMAIL = "[general]\nformat = wav\nminsecs = 1\n[default]\n" + "".join(
    f"{number} => 1234,Félix Gagnon\n" for number in BOXES
)


MORE_MODULES = (
    "app_milliwatt", "app_playtones", "app_senddtmf", "res_pjsip_dialog_info_body_generator", "res_pjsip_exten_state",
    "res_pjsip_outbound_publish",
)  # fmt: skip


class FixedAsterisk(Engine):
    """The modules of `deploy/asterisk/` and some for lamps and tones, its transports, and nothing asked of anybody."""

    def configure(self) -> None:
        """Write the configuration, then in place of what would be asked what is known."""
        super().configure()
        etc = self.folders.etc
        for name in ("sorcery", "extconfig", "res_curl"):
            _write(etc / f"{name}.conf", "")
        phones = [self._phone(number, more) for number, more in PHONES.items()]
        # Their files ask the portal in the same breath, so that they are written anew.
        pjsip = (etc / "pjsip.conf").read_text()
        provider = PROVIDER.format(port=self.values["PROVIDER_PORT"])
        _write(etc / "pjsip.conf", pjsip + "".join(phones) + provider + MESSAGES)
        _write(etc / "extensions.conf", NUMBERS % {"domain": DOMAIN})
        _write(etc / "voicemail.conf", VOICEMAIL)
        more = "".join(f"load = {name}.so\n" for name in MORE_MODULES)
        _write(etc / "modules.conf", (etc / "modules.conf").read_text() + more)

    def _phone(self, number: str, more: str) -> str:
        waiting = f"mailboxes = {number}@default" if number in BOXES else ""
        # Whose endpoint has a mailbox is told without asking, and may not ask.
        more = f"{more}\n{waiting}" if number == "102" else more
        return PHONE.format(id=f"{number}@{DOMAIN}", number=number, more=more, waiting=waiting)

    @property
    def sip(self) -> tuple[str, int]:
        """Where it listens, UDP and TCP."""
        return "127.0.0.1", int(self.values["SIP_PORT"])


@pytest.fixture(scope="session")
def fixed(asterisk: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FixedAsterisk]:
    """One for all tests that need no portal."""
    ports = free_ports() | {
        "SIP_ADDRESS": "127.0.0.1",
        "PROVIDER_PORT": str(free_port(UDP_AND_TCP, "127.0.0.2")),
    }
    engine = FixedAsterisk(tmp_path_factory.mktemp("fixed"), asterisk, **ports)
    engine.start()
    yield engine
    engine.stop()
