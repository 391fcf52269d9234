"""A file of the phones in a customer's stock: MAC, model and options; nobody uses them yet."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from files.importing.lists import Meant, Records
from files.importing.phones import FOLLOWS, MAC, MODEL, ROUTER
from files.importing.phones import kind_of as kind_of_phones
from files.reading.spreadsheets import Kind
from pbxadmin.common.columns import Column, Scope
from phones.settings.sections import phone_sheet
from phones.sites import routers
from users import road


class Stock(Records[Meant]):
    """The files of phones in stock."""

    follows = (FOLLOWS,)

    def kind_of(self, name: str) -> Kind:
        """As in a file of people."""
        return kind_of_phones(name)

    def _column(self, scope: Scope, meant: Sequence[Meant], name: str, column: Column) -> None:
        # A blank model leaves a phone that there is what it is, and a new one without.
        concerned = [each for each in meant if name != MODEL or each.wanted.cells.get(MODEL, "").strip()]
        if name != ROUTER:
            super()._column(scope, concerned, name, column)

    def plans(self, scope: Scope, meant: Sequence[Meant]) -> Sequence[road.Plan]:
        """The router phones that come with the file, then the phones."""
        new_routers = _through_routers(scope, meant)
        phones = self.planned(scope, meant)
        for row in phones.rows:
            _refuse_what_somebody_uses(row)
        return [plan for plan in (new_routers, phones) if plan is not None]


def _through_routers(scope: Scope, meant: Sequence[Meant]) -> road.Plan | None:
    saying = [(each, cell) for each in meant if (cell := each.wanted.cells.get(ROUTER)) is not None]
    asked = [
        routers.Asked(
            cell,
            str(each.values.get("mac", "")) or each.wanted.cells.get(MAC, ""),
            each.record.connection if each.record is not None else None,
        )
        for each, cell in saying
    ]
    if not asked:
        return None
    found = routers.routers_of(scope, asked)
    for (each, _cell), answer in zip(saying, found.answers, strict=True):
        each.values |= answer.values
        if answer.reasons:
            each.problems.setdefault(routers.COLUMN, []).extend(answer.reasons)
    return found.plan


def _refuse_what_somebody_uses(row: road.RowPlan) -> None:
    """A phone that somebody got meanwhile is left alone, and another word of the file on it is refused: it isn't the stock's to say."""
    if row.new or row.record is None or row.record.user_id is None or not row.changes:
        return
    row.refuse(
        "mac",
        _("This is the phone of %(user)s, and isn't in stock: change it on that user's page.")
        % {"user": row.record.user},
        "mac_taken",
    )


STOCK = Stock(
    phone_sheet,
    {
        MAC: ("Adresse MAC", "MAC address", "Adresse"),
        MODEL: ("Modèle", "Phone model", "Modèle de téléphone"),
    },
    without=("user",),
)
