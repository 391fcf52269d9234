"""How a lower layer tells the higher ones that rows have changed.

`changed` is sent once for every operation of `users.road`, inside its transaction: sender = the model, `rows` = the
planned rows that were written (`record`, `changes`, `new`, `removed`), `operation`. Its receivers:

- `users.people.endings.sessions_and_links_end`: whoever is disabled finds nothing of theirs open when they are let in again.
- `signin.tasks.old_addresses_are_told`: the address that somebody had learns that it isn't theirs any more.
- `phones.push.receivers.phones_fall_behind`: marks the phones whose file may differ now (the outbox).
- `asterisk.receivers`: gives the customer another stamp, and has the nodes forget the lines that are others now.
"""

from django.dispatch import Signal

changed = Signal()
