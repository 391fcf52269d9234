"""What a customer's own host name answers: the Talk and Meet pages of its people, nothing of the portal."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from talk import views as contact
from users.access import public


@public
def portal(request: HttpRequest) -> HttpResponse:
    """Whoever types the host name alone is looking for the portal."""
    return HttpResponseRedirect(settings.PUBLIC_URL)


urlpatterns = [
    path("", portal, name="home"),
    path("language", public(require_POST(set_language)), name="set_language"),
    path("meet/waiting/<str:token>", contact.waiting, name="meet_waiting"),
    path("meet/<str:name>", contact.meet_on_host, name="meet_on_host"),
    path("<str:name>", contact.talk_on_host, name="talk_on_host"),
]

handler400 = "pbxadmin.pages.home.bad_request"
handler403 = "pbxadmin.pages.home.permission_denied"
handler404 = "pbxadmin.pages.home.page_not_found"
handler500 = "pbxadmin.pages.home.server_error"
