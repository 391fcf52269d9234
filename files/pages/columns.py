"""The page that explains every column of a file, and the files to begin with."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from files.exporting import templates
from files.exporting.explained import Explained, explained
from files.exporting.writing import Kind, written
from files.pages.sending import attached
from files.subjects import SUBJECTS, USERS, Subject
from pbxadmin.common.columns import Scope
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.listing import LONGEST_TEXT
from pbxadmin.common.values.signs import folded
from users.models import Customer
from users.road.pages.doors import in_customer


@require_safe
@in_customer()
def columns(request: PortalRequest, customer: Customer) -> HttpResponse:
    """What each column means, tab by tab, narrowed by `?q=`; of which kind of file says `?of=`."""
    subject = SUBJECTS.get(request.GET.get("of", ""), USERS)
    scope = Scope(request.user, customer)
    text = request.GET.get("q", "").strip()[:LONGEST_TEXT]
    everything = explained(subject, scope)
    found = [each for each in everything if _is_meant(each, text)]
    return render(
        request,
        "files/columns.html",
        {
            "title": _("Columns of files"),
            "subject": subject,
            "subjects": list(SUBJECTS.values()),
            "tabs": [(tab, list(group)) for tab, group in groupby(found, key=lambda each: str(each.tab))],
            "count": len(found),
            "text": text,
            "templates": _templates(customer, subject),
            "breadcrumbs": [
                (_("Import / Export"), reverse("files", args=[customer.slug])),
                (_("Columns of files"), None),
            ],
        },
    )


def _is_meant(each: Explained, text: str) -> bool:
    said = folded(" ".join([each.name, str(each.label), str(each.help), str(each.tab), *each.also_read]))
    return all(word in said for word in folded(text).split())


def _templates(customer: Customer, subject: Subject) -> Sequence[dict[str, Any]]:
    return [
        {
            "template": each,
            "count": len(each.columns()),
            "files": [
                (words, reverse("file_template", args=[customer.slug, each.slug]) + "?" + urlencode(query))
                for words, query in (
                    (_("Empty, XLSX"), {"kind": "xlsx"}),
                    (_("Empty, CSV"), {"kind": "csv"}),
                    (_("Example, XLSX"), {"kind": "xlsx", "example": "1"}),
                    (_("Example, CSV"), {"kind": "csv", "example": "1"}),
                )
            ],
        }
        for each in templates.TEMPLATES.values()
        if each.subject is subject
    ]


@require_safe
@in_customer()
def template(request: PortalRequest, customer: Customer, format: str) -> StreamingHttpResponse:
    """A file of one format to fill in, or filled in with an example (`?example=1`)."""
    found = templates.TEMPLATES.get(format)
    if found is None:
        raise Http404
    kind = Kind.CSV if request.GET.get("kind") == Kind.CSV else Kind.XLSX
    example = request.GET.get("example") == "1"
    rows = templates.rows(found, Scope(request.user, customer)) if example else []
    name = f"{customer.slug}-{format}-{'example' if example else 'template'}.{kind}"
    return attached(name, kind, written(kind, customer.name, found.columns(), rows))
