"""A device that only registers, over UDP and without any library: so many of them cost nothing."""

import hashlib
import re
import socket
import uuid

AGENT = "Yealink SIP-T54W 96.86.0.45"


class Device:
    """Registers a line at a server; each has a socket, so an address, of its own."""

    def __init__(
        self, line: str, auth_id: str, password: str, server: tuple[str, int], agent: str = AGENT
    ) -> None:
        self.number, self.host = line.split("@")
        self.auth_id, self.password, self.server, self.agent = auth_id, password, server, agent
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self.socket.getsockname())
        self.contact = f"sip:{self.number}@{self.address}"  # where it says that it is
        self.call, self.tag, self.sequence = uuid.uuid4().hex, uuid.uuid4().hex[:8], 0

    def register(self, expires: int = 300, within: float = 10.0) -> int:
        """The status that ends it: 200 where it is let in."""
        self.socket.settimeout(within)
        answer = self._ask(expires, "")
        if answer.startswith("SIP/2.0 401"):
            answer = self._ask(expires, self._proof(answer))
        return int(answer.split(" ")[1])

    def close(self) -> None:
        """Without a word to anybody."""
        self.socket.close()

    def _ask(self, expires: int, proof: str) -> str:
        self.sequence += 1
        who = f"<sip:{self.number}@{self.host}>"
        request = (
            f"REGISTER sip:{self.host} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address};branch=z9hG4bK{uuid.uuid4().hex[:12]};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: {who};tag={self.tag}\r\nTo: {who}\r\nCall-ID: {self.call}\r\nCSeq: {self.sequence} REGISTER\r\n"
            f"Contact: <{self.contact}>\r\nExpires: {expires}\r\nUser-Agent: {self.agent}\r\n{proof}Content-Length: 0\r\n\r\n"
        )
        self.socket.sendto(request.encode(), self.server)
        while True:
            answer = self.socket.recv(65_535).decode()
            if answer.startswith("SIP/2.0") and f"CSeq: {self.sequence} " in answer:
                return answer

    def _proof(self, answer: str) -> str:
        asked = dict(
            re.findall(r'(\w+)="?([^",\r]+)"?', answer.split("WWW-Authenticate: Digest ")[1].split("\r\n")[0])
        )
        uri = f"sip:{self.host}"
        secret = _digest(f"{self.auth_id}:{asked['realm']}:{self.password}")
        response = _digest(f"{secret}:{asked['nonce']}:00000001:tests:auth:{_digest(f'REGISTER:{uri}')}")
        return (
            f'Authorization: Digest username="{self.auth_id}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", uri="{uri}", '
            f'response="{response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="tests", opaque="{asked.get("opaque", "")}"\r\n'
        )


def _digest(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
