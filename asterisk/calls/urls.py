"""The addresses of the latest calls. They come before those of the tabs, which take any last word."""

from django.urls import URLPattern, URLResolver, path

from asterisk.calls import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("c/<slug:slug>/users/<str:number>/calls", pages.user_calls, name="user_calls"),
    path("c/<slug:slug>/users/<str:number>/calls/<int:key>", pages.user_call, name="user_call"),
    path("me/calls", pages.own_calls, name="own_calls"),
    path("me/calls/<int:key>", pages.own_call, name="own_call"),
    path("me/colleagues/<str:number>/calls", pages.colleague_calls, name="colleague_calls"),
    path("me/colleagues/<str:number>/calls/<int:key>", pages.colleague_call, name="colleague_call"),
]
