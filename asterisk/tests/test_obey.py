"""What is saved is obeyed within a second. `OBEY=all` in the environment makes every save of `obeying`, and says how long each took (`bench.obey`)."""

import os
import statistics
from itertools import islice

import pytest

from asterisk.models import Contact, Errand, Node
from asterisk.tests.engine import LiveEngine, Portal, manage
from asterisk.tests.obeying import Company, Obeyed, obeyed
from asterisk.tests.phones import Phones
from phones.tests.processes import wait_until
from users.models import Customer, User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.calls]

FEW = 5
ALL = os.environ.get("OBEY") == "all"


def summary(found: list[Obeyed]) -> str:
    """Each save, the slowest first, and three figures."""
    slowest = sorted(found, key=lambda each: -each.seconds)
    lines = [
        f"{each.seconds * 1000:7.0f} ms  {each.kind} ({each.last}, probe {each.probes})" for each in slowest
    ]
    times = sorted(each.seconds * 1000 for each in found)
    high = times[-(-len(times) * 95 // 100) - 1]
    kinds = len({each.kind for each in found})
    lines.append(
        f"{len(found)} saves of {kinds} kinds: median {statistics.median(times):.0f} ms, p95 {high:.0f} ms, max {times[-1]:.0f} ms"
    )
    return "\n".join(lines)


def test_what_is_saved_is_obeyed_within_a_second(
    phones: Phones,
    portal: Portal,
    engine: LiveEngine,
    boreale: Customer,
    amelie: User,
    felix: User,
    ines: User,
    capsys: pytest.CaptureFixture[str],
) -> None:
    User.objects.update(block_remote=False)
    with portal.running(*manage("pbx_link"), name="link"):
        wait_until(lambda: Node.objects.filter(connected_at__isnull=False).exists(), 20, "linked")
        company = Company(phones, engine.sip, boreale, amelie, felix, ines)
        assert company.registers_anew() == "200"
        wait_until(lambda: Contact.objects.count() == 4, 10, "the devices show")
        wait_until(lambda: not Errand.objects.exists(), 10, "nothing waits")
        found = [obeyed(each) for each in islice(company.saves(), None if ALL else FEW)]
    company.zoe_phone.close()
    if ALL:
        with capsys.disabled():
            print(f"\n{summary(found)}")
    assert max(each.seconds for each in found) < 1.0, summary(found)
