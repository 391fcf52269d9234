"""The link to the nodes: a worker (`manage.py pbx_link`) that holds the manager connection of each, tells them what was saved, and writes
down what they tell.

Parts: `leases` (which worker holds which node), `worker` (the process), `connection` (one node: connect, serve, try again), `errands`
(what a node is told), `reconciling` (what is asked after a gap), `contacts` (registered devices) with `desk_phones` (which of them is a
phone of ours), `dropping` (which are to go), `channels` (of contracts, in use at several nodes),
`events` (who wants to be told of what), `database` (the way to the tables from asyncio), `status` (what pages say).

What a node asks the portal because of an errand, and what the portal must answer (Asterisk 22.10, seen):

- FORGET asks nothing: the next request of the line does. An object that wasn't remembered "could not be expired": fine.
- LEARN is `pjsip reload qualify endpoint 101@acme.example`. It asks `ps_endpoints/single` and `ps_aors/single` (body
  `id=101%40acme.example`) where they aren't in its memory, and then, if it didn't follow this AOR yet, **once `ps_endpoints/multi`, body
  `id%20LIKE=%25`**: it takes out of all rows those whose `aors` is the one AOR. The answer must hold the line's row:
  `asterisk.asked.learning.names` are the lines being learned this moment, `BATCH` at most, and `multi` names them and no others (none at
  other times): of each `id` and `aors`, which is all that is read of it. With whole rows a line took Asterisk 41 ms instead of 13.
  `ps_aors/multi` and `ps_registrations/multi` are asked at start and at `module reload res_pjsip.so`; the first may always be empty.
- Looking at a line (`PJSIPShowEndpoint`) asks `ps_identifies/multi` with `endpoint=101%40acme.example`: a line has no addresses of its own.
- A question costs Asterisk a processor for as long as its answer takes: it is asked by way of a channel that has nothing to wait for,
  which the thread that watches over waiting channels looks at again and again (seen with perf: `ast_waitfor_n` without a poll; a plan's
  question, of a real channel, waits as it should). Few questions, answered at once, are what makes many devices that come at once quick.
- One `multi` can't teach several lines: each command takes its own out of it and drops the rest, so a longer answer costs without use.
  Measured with a portal that answers at once, per line: 3.7 ms when one is answered, 3.8 with five, 4.2 with twenty, 8.5 with a hundred:
  4 s for 1,000 lines, 40 s for 10,000, while calls go on. With many devices registered it is more (0.4 ms for each thousand of them:
  Asterisk seeks a line's devices among all).
- **A `multi` without the row is a trap**: the AOR counts as followed, its endpoint isn't, the state stays UNAVAILABLE, and LEARN again
  doesn't ask again. Only `module reload res_pjsip.so` (20 ms) helps: with `multi` empty it forgets all AORs, and all are learned anew.
  The link sees it (a device is registered and its state is UNAVAILABLE) and does so, once in `connection.HEAL_EVERY` at most. Whoever
  else reloads it has the same effect: at the event "Reload" everything is learned anew.
- Who learns what: a line that has devices is learned after every gap; one that registers and wasn't learned since then, when somebody
  proves to be it; and one that a node asks for first, because the portal says so (`asterisk.asked.learning`).

Calls: the dialplan keeps how each went as `DB(pbxcalls/<unique id>)` and tells it (`UserEvent(PbxCall,…)`). What was kept is read after a
gap, and deleted once it is written, so that not even those seconds are lost in which a worker was killed. `LISTENING`, a global variable of
the node that the link sets every `connection.LISTENS` seconds, is when somebody last listened (the node's own clock): after a day without
anybody only messages are kept.
"""

# Lines that are learned together; each answer to `ps_endpoints/multi` has so many rows at most.
BATCH = 8
