"""The addresses that devices ask: read before all others, because thousands may ask at once."""

from django.urls import path, re_path

from phones.serving import provisioning, redirection

urlpatterns = [
    path("p/<str:token>/<path:name>", provisioning.provision, name="provisioning"),
    # Whatever else somebody tries there is answered like a wrong token, never by a page or a redirection.
    re_path(r"^p(?:/|\Z)", provisioning.provision, name="provisioning_nothing"),
    path("r/<str:key>/<path:name>", redirection.redirect_phone, name="redirection"),
    re_path(r"^r(?:/|\Z)", redirection.redirect_phone, name="redirection_nothing"),
]
