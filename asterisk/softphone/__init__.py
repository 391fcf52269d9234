"""A telephone in software, on pjsua2: for people who try the portal, and the other side of the tests of calls.

It stands alone, the standard library and pjsua2 only: nothing of what configures the phone system is in it.
`worker.py` is the process in which pjsua2 runs; `phone.py` and `call.py` are what drives it; `hearing.py` says what was heard.
"""
