"""How a command reaches a phone: a SIP NOTIFY that tells it to fetch its configuration or to restart."""
