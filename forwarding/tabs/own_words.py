"""What is said of the forwarding rules to whoever changes their own, in place of what administrators read: below a field, and behind its "?"."""

from django.utils.translation import gettext_lazy

OWN_HELP = {"greeting": gettext_lazy("What callers hear when your voicemail answers.")}
OWN_MORE = {
    "busy_external": gettext_lazy(
        "The destination of calls from outside while you are on a call and “Accept multiple calls” is off, or while no device is "
        "connected to your extension."
    ),
    "busy_internal": gettext_lazy(
        "The destination of calls from other users while you are on a call and “Accept multiple calls” is off, or while no device is "
        "connected to your extension."
    ),
    "ring_mobile": gettext_lazy(
        "Calls ring your mobile number together with the devices of your extension. If the mobile answers, the call takes two channels "
        "for as long as it lasts."
    ),
    "accept_multiple_calls": gettext_lazy(
        "You can answer several calls without ending the first one. Off: the destination “Busy or not registered” is used while you "
        "are on a call."
    ),
    "accept_ring_group_calls": gettext_lazy("Calls to a ring group ring your extension."),
    "accept_push": gettext_lazy(
        "The mobile app is told of calls and messages even when it isn't open. Needed to answer with the app; switch it off "
        "for the statuses in which you don't want to be notified."
    ),
    "greeting": gettext_lazy(
        "“Play the default options” uses the recording chosen on your page “Voicemail”."
    ),
}
