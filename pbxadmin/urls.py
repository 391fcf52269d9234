"""Every address of the portal. All of them ask for a sign-in unless their view is marked `public`."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from asterisk.link.pages import phone_system
from pbxadmin.pages import everywhere, search
from pbxadmin.pages import home as views
from users.access import public

urlpatterns = [
    path("", include("phones.serving.urls_devices")),
    path("", include("asterisk.asked.urls")),
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("language", public(require_POST(set_language)), name="set_language"),
    path("theme", views.set_theme, name="set_theme"),
    path("density", views.set_density, name="set_density"),
    path("c/<slug:slug>/", views.customer_home, name="customer_home"),
    path("search", everywhere.search_everywhere, name="search_everywhere"),
    path("c/<slug:slug>/search", search.search, name="search"),
    path("c/<slug:slug>/phone-system", phone_system, name="phone_system"),
    path("", include("forwarding.urls")),
    path("", include("asterisk.calls.urls")),
    path("", include("voicemail.urls")),
    path("support/", admin.site.urls),
    path("", include("signin.urls")),
    path("", include("pbxadmin.pages.urls")),
    path("", include("users.urls")),
    path("", include("files.urls")),
    path("", include("talk.urls")),
    path("", include("phones.urls")),
]

handler400 = "pbxadmin.pages.home.bad_request"
handler403 = "pbxadmin.pages.home.permission_denied"
handler404 = "pbxadmin.pages.home.page_not_found"
handler500 = "pbxadmin.pages.home.server_error"
