"""The addresses of signing in, and of linking one's accounts elsewhere."""

from django.urls import path

from signin.views import signin, single_sign_on

urlpatterns = [
    path("sign-in", signin.sign_in, name="sign_in"),
    path("sign-in/code", signin.second_factor, name="second_factor"),
    path("sign-in/app", signin.enrol, name="second_factor_enrol"),
    path("sign-in/again", signin.step_up, name="step_up"),
    path("sign-in/forgotten", signin.forgot_password, name="forgot_password"),
    path("sign-in/company", single_sign_on.company, name="sign_in_company"),
    path("sign-in/at/<slug:slug>", single_sign_on.sign_in_at, name="sign_in_at"),
    path("sign-in/at/<slug:slug>/<slug:provider>", single_sign_on.start, name="sso_start"),
    # Registered at Microsoft and Google by every customer: it must stay as it is.
    path("sign-in/back/<slug:provider>", single_sign_on.back, name="sso_back"),
    path("sign-out", signin.sign_out, name="sign_out"),
    path("set-password/<str:uidb64>/<str:token>", signin.set_password, name="set_password"),
    path("me/accounts/<slug:provider>", single_sign_on.link, name="sso_link"),
    path("me/accounts/<slug:provider>/confirm", single_sign_on.confirm, name="sso_confirm"),
    path("me/accounts/<slug:provider>/remove", single_sign_on.unlink, name="sso_unlink"),
]
