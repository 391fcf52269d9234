"""PURE: whoever calls from the Internet without being a phone or a SIP trunk, as Asterisk reads them: they reach SIP IDs, and nothing else."""

from collections.abc import Mapping

from asterisk.asked.rows import Value

NAME = "anonymous"
ENDPOINT: Mapping[str, Value] = {
    "id": NAME,
    "context": "from-internet",
    "allow_transfer": False,
    "disallow": "all",
    "allow": "opus,g722,ulaw,alaw",
    "direct_media": False,
    "rtp_timeout": 300,
}
# By what every request has, once nobody else was found: Asterisk's own identifier of strangers asks once more about each of their requests.
IDENTIFY: Mapping[str, Value] = {"id": "strangers", "endpoint": NAME, "match_header": "From: /./"}
