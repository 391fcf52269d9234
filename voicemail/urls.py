"""The addresses of the voicemail app. They come before those of the tabs, which take any last word."""

from django.urls import URLPattern, URLResolver, path

from voicemail import views
from voicemail.greetings import pages

urlpatterns: list[URLPattern | URLResolver] = [
    *pages.urls(),
    path("c/<slug:slug>/users/<str:number>/voicemail/pin", views.show_pin, name="voicemail_pin"),
    path("c/<slug:slug>/users/<str:number>/voicemail/new-pin", views.new_pin, name="voicemail_new_pin"),
    path("me/voicemail", views.own_voicemail, name="own_voicemail"),
    path("me/voicemail/pin", views.show_own_pin, name="own_voicemail_pin"),
    path("me/voicemail/new-pin", views.new_own_pin, name="own_voicemail_new_pin"),
]
