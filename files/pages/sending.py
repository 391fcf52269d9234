"""A file on its way to a browser, a piece at a time; and the lists of a customer that need no question before."""

from collections.abc import Iterable

from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from files.exporting.writing import Kind, written
from files.subjects import SUBJECTS, USERS
from pbxadmin.common.columns import Scope
from pbxadmin.common.http import PortalRequest
from users.models import Customer
from users.road.pages.doors import in_customer


def attached(name: str, kind: Kind, pieces: Iterable[bytes]) -> StreamingHttpResponse:
    """A file that a browser keeps and never shows, whatever is in it."""
    answer = StreamingHttpResponse(pieces, content_type=kind.content_type)
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    return answer


@never_cache
@require_safe
@in_customer()
def list_of(request: PortalRequest, customer: Customer, subject: str) -> StreamingHttpResponse:
    """Departments, numbers, system extensions, phones in stock: all that the reader sees, as they come back in (`?kind=csv`)."""
    scope = Scope(request.user, customer)
    found = SUBJECTS.get(subject)
    if found is None or found is USERS or found.why_not_out(scope):
        raise Http404
    kind = Kind.CSV if request.GET.get("kind") == Kind.CSV else Kind.XLSX
    name = f"{customer.slug}-{subject}-{timezone.localdate():%Y-%m-%d}.{kind}"
    return attached(name, kind, written(kind, customer.name, found.header(), found.rows(scope)))
