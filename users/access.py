"""Marks on views: who may open them. What isn't marked asks for a full sign-in and, under /c/, for the administration."""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponse

from users.models import User

View = TypeVar("View", bound=Callable[..., HttpResponse])


def public(view: View) -> View:
    """A view that anybody may open: sign-in, health, what a phone fetches."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def for_machines(view: View) -> View:
    """A view that answers programs alone, with a 404 of its own: whatever is wrong gets the very same one."""
    view.for_machines = True  # type: ignore[attr-defined]
    return view


def half_signed_in(view: View) -> View:
    """A view for whoever has given a password and still owes a second factor."""
    view.access = "half"  # type: ignore[attr-defined]
    return view


def access_of(view: Callable[..., HttpResponse]) -> str:
    """ "public", "half" or "full"."""
    return getattr(view, "access", "full")


def signed_in_user(request: HttpRequest) -> User:
    """The person behind a request that passed the sign-in: for the type checker, and never an anonymous one."""
    assert isinstance(request.user, User)
    return request.user
