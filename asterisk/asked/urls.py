"""The addresses that nodes ask: read before all others, and answered without anything that only pages need."""

from django.urls import include, path, re_path, register_converter
from django.urls.converters import PathConverter

from asterisk.asked import calls, codes, door, pins, realtime, sounds


class DialledConverter(PathConverter):
    """Whatever somebody dialled: people write slashes in numbers, and with a line break in it it's still the portal that judges it."""

    regex = r"(?s:.+)"


register_converter(DialledConverter, "dialled")
PLANS = [
    path("call/<str:fqdn>/<str:extension>/<dialled:dialled>/<str:call>", calls.from_phone, name="node_call"),
    path("in/<int:trunk>/<str:number>/<dialled:did>/<str:call>", calls.from_trunk, name="node_call_in"),
    path("sip/<str:fqdn>/<dialled:sip_id>/<str:call>", calls.from_internet, name="node_call_sip"),
]
urlpatterns = [
    path("n/", include(PLANS)),
    # The same for a plan that is too long for a variable of the dialplan.
    path("n/long/", include((PLANS, "long"))),
    path("n/rt/<str:table>/<str:how>", realtime.realtime, name="node_realtime"),
    path("n/pin", pins.check, name="node_pin"),
    path("n/code", codes.dialled, name="node_code"),
    path("n/sound/<str:name>", sounds.sound, name="node_sound"),
    re_path(r"^n(?:/|\Z)", door.nothing, name="node_nothing"),
]
