"""How devices and the PBX speak with each other: transports with their ports, protection of the voice, codecs."""

from enum import StrEnum


class Transport(StrEnum):
    """What carries SIP."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"

    @property
    def port(self) -> int:
        """The port that the standard gives it (RFC 3261, 19.1.2)."""
        return 5061 if self is Transport.TLS else 5060


class Srtp(StrEnum):
    """Whether the voice is encrypted: not at all, where the other side can, or always."""

    DISABLED = "disabled"
    ENABLED = "enabled"
    ENFORCED = "enforced"

    def transport(self, plain: Transport) -> Transport:
        """What carries SIP with this protection; `plain` where nothing is encrypted.

        The keys of the voice travel in the signalling (SDES, RFC 4568): in clear they would protect nothing.
        """
        return plain if self is Srtp.DISABLED else Transport.TLS


class Codec(StrEnum):
    """How voice is coded; the order of a phone's list is its preference."""

    PCMU = "PCMU"
    PCMA = "PCMA"
    G722 = "G722"
    G729 = "G729"
