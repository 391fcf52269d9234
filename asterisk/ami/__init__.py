"""PURE: the Asterisk Manager Interface, by which a node is told things and tells of what happens: `protocol` its bytes, `client` a
connection.

Written here instead of taken from a library. astami 1.1 was read: its encoder writes CR and LF of a value as they are, so whoever
chooses a name could send an action of their own; it reads for one answer at a time and throws away every event that comes between;
it waits for a list's first message only, keeps nothing of a key that is repeated, ends at the first byte that isn't UTF-8, logs in
with the password in clear, and notices a dead peer when the next action times out. What is left of it, a loop over lines, is less
than what would have to be wrapped around it.

Asterisk 22 accepts `Challenge` with MD5: the password never crosses the network. The rest does, in clear: let AMI listen on the
loopback address or a private network alone, or carry it through a tunnel.
"""
