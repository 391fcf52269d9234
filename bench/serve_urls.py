"""The portal's addresses and those that the benches compare with: constant answers, for anybody and for whoever is signed in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from users.access import public

CONTENT = b"x" * 7000


@public
def constant(request: HttpRequest) -> HttpResponse:
    """As many bytes as a phone's file has."""
    return HttpResponse(CONTENT, content_type="text/plain; charset=utf-8")


def signed_in(request: HttpRequest) -> HttpResponse:
    """The same, for whoever is signed in: the session and the person were asked for."""
    return HttpResponse(CONTENT, content_type="text/plain; charset=utf-8")


def frame(request: HttpRequest) -> HttpResponse:
    """The frame of the portal's pages without any content, for whoever is signed in."""
    return render(request, "base.html")


urlpatterns = [
    path("constant", constant),
    path("signed-in", signed_in),
    path("frame", frame),
    path("", include("pbxadmin.urls")),
]
