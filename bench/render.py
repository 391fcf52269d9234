"""Phone files rendered per second, against the same template in bare Jinja2 with the context ready.

`python -m bench.render [seconds a phone]`. Both start from the same `PhoneContext` and put it in the
vendor's words; ours also checks it against the model and guards what is written, under StrictUndefined. The
last column is the template alone, its values ready, for scale. Seconds are those of this process's own
work, the three run by turns, and the best turn counts, so that a neighbour on the machine doesn't.
"""

import sys
import time
from collections.abc import Callable
from datetime import date
from functools import partial

from jinja2 import Environment, FileSystemLoader, Template

from pbxadmin.common.values.clock import clock_of
from phones.context import Account, Key, KeyKind, PhoneContext, Proxy, Transport
from phones.vendors import FileKind, Model, find_model, vendor_of
from phones.vendors.yealink import TEMPLATES, device_rows, device_values
from phones.vendors.yealink.keys import key_rows

TURNS = 40
KINDS = (
    (KeyKind.BLF, "102", "Félix Gagnon"),
    (KeyKind.SPEED_DIAL, "103", "Inès Roy"),
    (KeyKind.CUSTOM_SPEED_DIAL, "8663062224,,,225", "Fournisseur"),
    (KeyKind.SHARED_PARKING, "SP1", "SP1"),
    (KeyKind.STATUS, "lunch", "Lunch"),
    (KeyKind.AGENT, "login", "Connexion"),
    (KeyKind.LINE, "", ""),
    (KeyKind.BLANK, "", ""),
)


def context(model: str, keys: int, sidecars: int = 0) -> PhoneContext:
    """A phone of that model with its first `keys` keys in use, of all kinds in turn."""
    return PhoneContext(
        mac="805ec0d57d72",
        model=model,
        account=Account(
            extension="101",
            display_name="Amélie Tremblay",
            label="101 Amélie",
            auth_id="u7Qx2mN4",
            password="pLw83jKsQ0aZ",
            registrar="pbx.example.net",
            outbound_proxy=Proxy("10.0.0.5", 5060, Transport.TCP),
        ),
        provisioning_url="https://pbx.example.net/p/9vK2mQ7xT4bN8wR1/",
        web_password="Zx93kLmP2q",
        ntp_servers=("pool.ntp.org",),
        clock=clock_of("America/Toronto", date(2026, 11, 26)),
        keys=tuple(Key(n, *_kind(n)) for n in range(1, keys + 1)),
        sidecars=sidecars,
    )


def _kind(position: int) -> tuple[KeyKind, str, str]:
    return KINDS[position % len(KINDS)]


def rendered_bare(template: Template, phone: PhoneContext, model: Model) -> bytes:
    """The same file, nothing checked on the way."""
    return template.render(device_values(phone, model), **device_rows(phone, key_rows(phone, model))).encode()


def per_second(render: Callable[[], object], seconds: float) -> float:
    """How many times a second `render` runs."""
    count, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        for _ in range(20):
            render()
        count += 20
    return count / (time.process_time() - start)


def main() -> None:
    """Print a line for each phone."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
    bare_environment = Environment(  # no finalize, no strictness, nothing checked
        loader=FileSystemLoader(TEMPLATES), keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )
    bare = bare_environment.get_template("device.cfg.j2")
    print("phone                         bytes  files/s   bare/s  ratio  values ready")
    for slug, keys, sidecars in (
        ("yealink-t31g", 2, 0),
        ("yealink-t54w", 27, 0),
        ("yealink-t54w", 0, 0),
        ("yealink-t54w", 207, 3),
    ):
        phone = context(slug, keys, sidecars)
        vendor, model = vendor_of(slug), find_model(slug)
        values = device_values(phone, model) | device_rows(phone, key_rows(phone, model))
        written = vendor.render(FileKind.DEVICE, phone)
        if bare.render(values).encode() != written:
            raise SystemExit("the bare template says something else")
        runs: tuple[Callable[[], object], ...] = (
            partial(vendor.render, FileKind.DEVICE, phone),
            partial(rendered_bare, bare, phone, model),
            partial(bare.render, values),
        )
        speeds = [[per_second(run, seconds / TURNS / len(runs)) for run in runs] for _ in range(TURNS)]
        ours, theirs, alone = (max(column) for column in zip(*speeds, strict=True))
        ratio = ours / theirs
        name = f"{slug} {keys} keys +{sidecars}"
        print(f"{name:<28} {len(written):>6} {ours:>8.0f} {theirs:>8.0f} {ratio:>6.2f} {alone:>10.0f}")


if __name__ == "__main__":
    main()
