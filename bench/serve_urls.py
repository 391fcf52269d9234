"""The portal's addresses and one more, /constant, for `bench.serve`."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from users.access import public

CONTENT = b"x" * 7000


@public
def constant(request: HttpRequest) -> HttpResponse:
    """As many bytes as a phone's file has."""
    return HttpResponse(CONTENT, content_type="text/plain; charset=utf-8")


urlpatterns = [path("constant", constant), path("", include("pbxadmin.urls"))]
