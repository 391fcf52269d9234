"""How long until a save is obeyed: from its commit to the first call or registration that is as was saved.

    python -m bench.obey [rounds]

Everything is real: the road, PostgreSQL, the portal's server, the link, Asterisk (fetched once), phones and SIP trunks. The saves stand in
`asterisk.tests.obeying`, one after the other; after each its probe (a call, a REGISTER) is made again and again, without a pause, until it is
as was saved. The time of that last probe is part of the figure: a call takes 50 to 100 ms until somebody rings.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.database import embedded


def main() -> None:
    """Print how long each save took, and median, 95 of 100 and the most."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with ExitStack() as stack:
        embedded(stack, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "asterisk/tests/test_obey.py",
        ]
        for _ in range(rounds):
            done = subprocess.run(command, env=os.environ | {"OBEY": "all"}, check=False)
            if done.returncode:
                raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
