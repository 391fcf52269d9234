"""The addresses of the forwarding app. They come before those of the tabs, which take any last word."""

from django.urls import URLPattern, URLResolver, path

from forwarding import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("c/<slug:slug>/simulator", views.simulator, name="simulator"),
    path("c/<slug:slug>/users/<str:number>/status", views.user_status, name="user_status"),
    path(
        "c/<slug:slug>/departments/<int:key>/statutory-holidays",
        views.add_statutory_holidays,
        name="add_statutory_holidays",
    ),
    path("me/colleagues", views.colleagues, name="own_colleagues"),
    path("me/colleagues/<str:number>/status", views.colleague_status, name="colleague_status"),
    path("me/status", views.own_status, name="own_status"),
    path("me/forwarding", views.own_forwarding, name="own_forwarding"),
]
