"""Which columns a list of the desk has for its reader."""

from django.apps import apps
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from pbxadmin.common.http import safe_next
from support.admins import SupportAdmin
from support.pages.frame import page
from users.access import signed_in_user
from users.people import list_columns


@page("columns/<str:name>", "list_columns")
@require_POST
def columns(request: HttpRequest, name: str) -> HttpResponse:
    """Remember them, and go back to the list."""
    app, _dot, model = name.partition(".")
    made = admin.site._registry.get(apps.all_models.get(app, {}).get(model))  # type: ignore[arg-type]
    if not isinstance(made, SupportAdmin) or not made.usual_columns:
        raise Http404
    known = [each.name for each in made.column_choices(request)]
    names = (
        None
        if "usual" in request.POST
        else [each for each in known if each in request.POST.getlist("column")]
    )
    list_columns.remember_at_desk(signed_in_user(request), made.opts.label_lower, names)
    back = reverse(f"admin:{app}_{model}_changelist")
    return redirect(safe_next(request, request.POST.get("next")) or back)
