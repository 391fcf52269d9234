"""The addresses of one's own account."""

from django.urls import path

from pbxadmin.pages import own

urlpatterns = [
    path("me", own.own_page, name="own_page"),
    path("me/security", own.security, name="own_security"),
    path("me/password", own.password, name="own_password"),
    path("me/second-factor", own.prove, name="second_factor_prove"),
    path("me/second-factor/remove", own.remove_second_factor, name="second_factor_remove"),
    path("me/backup-codes", own.backup_codes, name="backup_codes"),
    path("me/sessions", own.end_sessions, name="own_sessions"),
]
