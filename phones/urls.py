"""The pages of the phones app."""

from django.urls import URLPattern, URLResolver, path

from phones.keys import views as views_keys
from phones.sites import views as site_views
from phones.views import moving as views_moving
from phones.views import tab as views
from phones.views.devices import user_devices

PERSON = "c/<slug:slug>/users/<str:number>/phones/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("c/<slug:slug>/phones", site_views.phones, name="phones"),
    path("c/<slug:slug>/phones/<str:mac>/give", views_moving.phone_give, name="phone_give"),
    *site_views.SBCS.urls(),
    path(f"{PERSON}state", views.phones_state, name="phones_state"),
    path(f"{PERSON}push", views.push_status, name="push_status"),
    path(f"{PERSON}devices", user_devices, name="user_devices"),
    path(f"{PERSON}add", views.phone_add, name="phone_add"),
    path(f"{PERSON}<str:mac>/status", views.phone_status, name="phone_status"),
    path(f"{PERSON}<str:mac>/command", views.phone_command, name="phone_command"),
    path(f"{PERSON}<str:mac>/delete", views.phone_delete, name="phone_delete"),
    path(f"{PERSON}<str:mac>/logo", views_moving.phone_logo, name="phone_logo"),
    path(f"{PERSON}<str:mac>/move", views_moving.phone_move, name="phone_move"),
    path(f"{PERSON}<str:mac>/file", views.phone_file, name="phone_file"),
    path(f"{PERSON}<str:mac>/settings", views.phone_settings_download, name="phone_settings"),
    path(f"{PERSON}<str:mac>/secret/<slug:which>", views.phone_secret, name="phone_secret"),
    path("c/<slug:slug>/users/<str:number>/keys/labels", views_keys.key_labels, name="key_labels"),
]
