"""The addresses of signing in and of one's own account."""

from django.urls import path

from users.views import own, signin

urlpatterns = [
    path("sign-in", signin.sign_in, name="sign_in"),
    path("sign-in/code", signin.second_factor, name="second_factor"),
    path("sign-in/app", signin.enrol, name="second_factor_enrol"),
    path("sign-in/again", signin.step_up, name="step_up"),
    path("sign-in/forgotten", signin.forgot_password, name="forgot_password"),
    path("sign-out", signin.sign_out, name="sign_out"),
    path("set-password/<str:uidb64>/<str:token>", signin.set_password, name="set_password"),
    path("me", own.own_page, name="own_page"),
    path("me/security", own.security, name="own_security"),
    path("me/password", own.password, name="own_password"),
    path("me/second-factor", own.prove, name="second_factor_prove"),
    path("me/second-factor/remove", own.remove_second_factor, name="second_factor_remove"),
    path("me/backup-codes", own.backup_codes, name="backup_codes"),
    path("me/sessions", own.end_sessions, name="own_sessions"),
]
