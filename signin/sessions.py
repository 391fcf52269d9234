"""Sessions in the database, as Django keeps them: each request reads its own by a statement that is written and planned once."""

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from pbxadmin.common.prepared import Prepared

_by_key = Prepared(lambda key: Session.objects.filter(session_key=key).order_by())


class SessionStore(db.SessionStore):
    """Django's own but for how a session is read."""

    def _get_session_from_db(self) -> Any:
        found = next(_by_key.records(self.session_key), None)
        if found is not None and found.expire_date > timezone.now():
            return found
        self._session_key = None
        return None
