"""The history as a file: of one customer, or of all of them for support staff; as the page was searched and narrowed."""

from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from files.exporting.writing import Kind, written
from files.pages.sending import attached
from files.reading.spreadsheets import protected
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.listing import ListState
from users import rights
from users.company.views.customers import only_support
from users.history import asked, lines, timeline
from users.models import Customer
from users.road.pages.doors import in_customer


@never_cache
@require_safe
@in_customer(rights.Verb.HISTORY)
def history_file(request: PortalRequest, customer: Customer, kind: str) -> StreamingHttpResponse:
    """A customer's history, as far as its reader reads it."""
    return _sent(request, customer, kind, customer.slug)


@never_cache
@require_safe
def audit_file(request: PortalRequest, kind: str) -> StreamingHttpResponse:
    """The history of all customers, and of what belongs to none."""
    only_support(request)
    return _sent(request, None, kind, "pbxadmin")


def _sent(request: PortalRequest, customer: Customer | None, kind: str, name: str) -> StreamingHttpResponse:
    if kind not in list(Kind):
        raise Http404
    shape = asked.shape(timeline.within_reach(request.user, customer), everywhere=customer is None)
    state = ListState.of(shape, request.GET)
    found = lines.lines(request.user, customer, state)
    rows = ([protected(text) for text in line] for line in found)
    pieces = written(Kind(kind), str(_("History")), lines.header(), rows)
    return attached(f"{name}-history-{timezone.localdate():%Y-%m-%d}.{kind}", Kind(kind), pieces)
