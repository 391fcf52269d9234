"""The addresses that nodes ask: read before all others, and answered without anything that only pages need."""

from django.urls import include, path, re_path

from asterisk.asked import calls, codes, door, pins, realtime, sounds

PLANS = [
    # People write slashes in numbers, too.
    path("call/<str:fqdn>/<str:extension>/<path:dialled>/<str:call>", calls.from_phone, name="node_call"),
    path("in/<int:trunk>/<str:number>/<str:did>/<str:call>", calls.from_trunk, name="node_call_in"),
    path("sip/<str:fqdn>/<str:sip_id>/<str:call>", calls.from_internet, name="node_call_sip"),
]
urlpatterns = [
    path("n/", include(PLANS)),
    # The same for a plan that is too long for a variable of the dialplan.
    path("n/long/", include((PLANS, "long"))),
    path("n/rt/<str:table>/<str:how>", realtime.realtime, name="node_realtime"),
    path("n/pin", pins.check, name="node_pin"),
    path("n/mailbox/<str:fqdn>/<str:extension>", pins.mailbox, name="node_mailbox"),
    path("n/code", codes.dialled, name="node_code"),
    path("n/sound/<str:name>", sounds.sound, name="node_sound"),
    re_path(r"^n(?:/|\Z)", door.nothing, name="node_nothing"),
]
