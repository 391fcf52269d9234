"""Signing in for tests: an authenticator app in a few lines, and a client that is signed in all the way."""

from time import time

import django_otp
from django.test import Client
from django_otp.oath import totp

from signin import credentials as signin
from signin import second_factor
from signin.models import TotpDevice
from users.models import User

KEY = "3132333435363738393031323334353637383930"


def code_of(key: str = KEY, *, steps: int = 0) -> str:
    """What an app with this key shows now, or some steps of 30 seconds later."""
    return f"{totp(bytes.fromhex(key), drift=steps):06}"


def enrol(user: User, key: str = KEY) -> TotpDevice:
    """Give a person an app."""
    return TotpDevice.objects.create(user=user, name="totp", key=key, confirmed=True)


def sign_in_fully(client: Client, user: User) -> Client:
    """A session as it is after password and second factor, just now; the person gets an app if they need
    one."""
    client.force_login(user)
    session = client.session
    session[signin.PASSWORD_AT] = int(time())
    device = TotpDevice.objects.filter(user=user, confirmed=True).first()
    if device is None and user.needs_second_factor:
        device = enrol(user)
    if device is not None:
        session[django_otp.DEVICE_ID_SESSION_KEY] = device.persistent_id
        session[second_factor.VERIFIED_AT] = int(time())
    session.save()
    return client
