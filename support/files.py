"""Files at the support desk: django-import-export's pages, whose dry run is the preview of the road and whose saving is the road itself.

Nothing of the library writes rows: it would let the good rows of a bad file in, judge none of them by our rules, and make the
model's default of a blank cell. What it does here is what its pages do: ask for a file, show what would happen, ask again, hand it over.
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from import_export.admin import ImportExportMixin
from import_export.fields import Field
from import_export.formats.base_formats import Format
from import_export.forms import ConfirmImportForm, ExportForm, ImportForm
from import_export.resources import Resource
from import_export.results import Error, Result, RowResult

from files.exporting.writing import Kind, written
from files.importing.imports import Import, Mode
from files.importing.outcome import CHANGED, NEW, REFUSED, UNCHANGED, Said, grouped
from files.importing.words import said_of
from files.models import MODES, Upload, forget, hold
from files.pages.sending import attached
from files.reading.table import FileRefusedError
from files.subjects import SUBJECTS, Subject
from files.uploads import digest_of, secrets_of
from pbxadmin.common.columns import Scope
from pbxadmin.common.crypto import MASK
from pbxadmin.common.http import RequestFacts
from support.road import RoadAdmin
from support.sheets import SOURCE
from users import road
from users.models import Customer
from users.rights import Verb
from users.road import Outcome

# What takes longer than a page may is done by the portal's own pages, in the background.
MOST_ROWS = 5_000
SHOWN = 200  # rows of each outcome that a page shows
TYPES = {
    NEW: RowResult.IMPORT_TYPE_NEW,
    CHANGED: RowResult.IMPORT_TYPE_UPDATE,
    UNCHANGED: RowResult.IMPORT_TYPE_SKIP,
}


# --- What the library is told -------------------------------------------------------------------------------------
class AnyFile(Format):
    """A file that comes in: the road's own reader tells what it is, whatever its name says."""

    def __init__(self, encoding: str | None = None) -> None:
        """The library hands an encoding over, which nobody knows before the file is read."""

    def get_title(self) -> Any:
        """As the page calls it."""
        return "CSV, XLSX"

    def is_binary(self) -> bool:
        """Encodings are told by what stands in the file."""
        return True

    def get_read_mode(self) -> str:
        """As it came."""
        return "rb"

    def create_dataset(self, in_stream: bytes) -> bytes:
        """The bytes: rows are made of them by `files.reading`."""
        return in_stream


class CsvFile(Format):
    """A CSV file that goes out."""

    kind = Kind.CSV

    def get_title(self) -> str:
        """As the page calls it."""
        return self.kind.upper()

    def is_binary(self) -> bool:
        """It is written as bytes."""
        return True

    def can_export(self) -> bool:
        """It is what it is for."""
        return True


class WorkbookFile(CsvFile):
    """A workbook that goes out."""

    kind = Kind.XLSX


class Told(Result):
    """What would become, or has become, of a file: the library's result, with ours in it."""

    def __init__(
        self, made: Import | None = None, refused: str = "", secrets: Collection[str] = (), of: str = ""
    ) -> None:
        super().__init__()
        self.made, self.secrets, self.of = made, secrets, of
        self.ended: Outcome | None = None
        if refused:
            self.append_base_error(Error(ValidationError(refused)))
        for row in made.outcomes if made else ():
            if row.outcome == REFUSED:
                found = {said.column or "__all__": [str(said.reason)] for said in row.errors}
                self.append_invalid_row(row.row, {}, ValidationError(found))
            elif row.outcome in TYPES:
                result = RowResult()
                result.import_type = TYPES[row.outcome]
                self.append_row_result(result)
                self.increment_row_result_total(result)
        self.total_rows = len(made.outcomes) if made else 0

    @property
    def sentences(self) -> list[str]:
        """Why the file as a whole isn't taken."""
        return [" ".join(each.error.messages) for each in self.base_errors]

    @property
    def seen(self) -> str:
        """What is shown, as a digest: only exactly that is written."""
        return digest_of(self.of, self.made.outcomes) if self.made else ""

    @property
    def groups(self) -> list[tuple[Said, str, list[int]]]:
        """Equal refusals together: what is said, the cell (dots for a secret), the rows that have it."""
        found = grouped(self.made.outcomes)[:SHOWN] if self.made else []
        return [(said, self._cell(said), rows) for said, rows in found]

    def _cell(self, said: Said) -> str:
        columns = self.made.columns if self.made else None
        ours = {columns.called(name) for name in self.secrets} if columns else set()
        return MASK if said.column in ours and said.value else said.value

    @property
    def warnings(self) -> list[Any]:
        """What is told beside, once each."""
        found = {
            str(said.reason): said
            for row in (self.made.outcomes if self.made else ())
            for said in row.warnings
        }
        return list(found.values())[:SHOWN]

    @property
    def changing(self) -> list[Any]:
        """The rows that are written, as far as a page shows them."""
        rows = [row for row in (self.made.outcomes if self.made else ()) if row.outcome in (NEW, CHANGED)]
        return [(row, [(name, old, new) for name, (old, new) in row.changes.items()]) for row in rows[:SHOWN]]

    @property
    def not_shown(self) -> int:
        """How many rows more are written than the page shows."""
        return max(
            0, self.totals[RowResult.IMPORT_TYPE_NEW] + self.totals[RowResult.IMPORT_TYPE_UPDATE] - SHOWN
        )


class RoadResource(Resource):
    """Rows of one kind, as the library knows them: it hands a file over, and what becomes of it is the road's to say."""

    def __init__(
        self,
        subject: Subject,
        scope: Scope | None = None,
        mode: Mode = Mode.BOTH,
        facts: RequestFacts | None = None,
        seen: str = "",
    ) -> None:
        super().__init__()
        self.subject, self.scope, self.mode, self.facts, self.seen = subject, scope, mode, facts, seen

    @classmethod
    def get_display_name(cls) -> str:
        """There is one for each page, and no page has a choice of them to name."""
        return cls.__name__

    def get_user_visible_fields(self) -> list[Field]:
        """The columns that its file may have."""
        return [Field(column_name=name) for name in self.subject.header()]

    def import_data(self, dataset: bytes, dry_run: bool = False, file_name: str = "", **kwargs: Any) -> Told:
        """Look at a file; where it isn't a dry run, write all of it or nothing, if it is what was shown."""
        assert self.scope is not None
        try:
            made = self.subject.look_at(dataset, self.scope, self.mode)
        except FileRefusedError as refused:
            return Told(refused=said_of(refused))
        if len(made.outcomes) > MOST_ROWS:
            limit = _(
                "Here a file has %(limit)s rows at most: the customer's own page “Import / Export” in the portal takes larger ones."
            )
            return Told(refused=limit % {"limit": MOST_ROWS})
        of = f"{hashlib.sha256(dataset).hexdigest()} {self.mode}"
        told = Told(made, secrets=secrets_of(self.subject), of=of)
        if dry_run:
            return told
        if made.refused or told.seen != self.seen:
            told.ended = Outcome.CONFLICT
            return told
        facts = self.facts
        assert facts is not None
        name = " ".join(file_name.split())[:100]
        told.ended, _operation = road.ended(lambda: self.subject.write(made, facts, f"file {name}"))
        return told


# --- The forms ----------------------------------------------------------------------------------------------------
class _OfCustomer(forms.Form):
    """Whose records a file is about: chosen before, on a page of its own, so that nothing lists all customers."""

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["customer"] = forms.ModelChoiceField(
            Customer.objects.visible_to(user),
            label=_("Customer"),
            to_field_name="slug",
            widget=forms.HiddenInput,
        )
        self.fields["resource"].widget = forms.HiddenInput()

    @property
    def chosen_customer(self) -> Customer | None:
        """Who was chosen."""
        slug = str(self["customer"].value() or "").replace("\0", "")
        return Customer.objects.visible_to(self.user).filter(slug=slug).first()

    @property
    def media(self) -> forms.Media:
        """No scripts: nothing is guessed from the name of a file."""
        return forms.Media()


class SendForm(_OfCustomer, ImportForm):
    """The file that comes in, for which customer, and what it may do."""

    field_order = ("resource", "customer", "import_file", "mode", "format")

    def __init__(self, *args: Any, subject: Subject, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mode"] = forms.ChoiceField(
            label=_("What the file may do"), choices=list(MODES.items()), initial=Mode.BOTH.value
        )
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["format"].initial = 0
        self.fields["import_file"].widget.attrs["accept"] = ".csv,.txt,.xlsx"
        self.order_fields(self.field_order)
        self.subject = subject

    def clean(self) -> dict[str, Any]:
        """Whose file it is goes along with it, to where it is kept."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if (file := found.get("import_file")) and found.get("customer"):
            file.keeping = {
                "customer": found["customer"], "starter": self.user, "subject": self.subject.slug,
                "name": " ".join(file.name.split())[-120:] or "?", "mode": found.get("mode", Mode.BOTH.value),
            }  # fmt: skip
        return found


class ConfirmForm(ConfirmImportForm):
    """That what was shown is to be written: the file that is kept, and a digest of what was shown."""

    seen = forms.CharField(widget=forms.HiddenInput())

    def __init__(self, *args: Any, user: Any, subject: Subject, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mine = Upload.objects.visible_to(user).filter(starter=user, subject=subject.slug)
        self.upload: Upload | None = None

    def clean_import_file_name(self) -> str:
        """One's own file, and no other's."""
        name: str = self.cleaned_data["import_file_name"]
        found = (
            self.mine.filter(pk=int(name)).first()
            if name.isascii() and name.isdecimal() and len(name) < 18
            else None
        )
        if found is None:
            raise ValidationError(_("This file isn't kept any more: send it again."))
        self.upload = found
        return name


class WantedForm(_OfCustomer, ExportForm):
    """Which file is to go out."""

    field_order = ("resource", "customer", "format")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        formats: Any = self.fields["format"]
        formats.choices, formats.initial = [each for each in formats.choices if each[0]], "0"
        self.order_fields(self.field_order)


class Kept:
    """Where a file waits between its preview and its confirmation: encrypted, in the table of files that were sent."""

    def __init__(self, name: str = "", **settings: Any) -> None:
        self.name = name

    def read(self) -> bytes:
        """The file as it came."""
        return Upload.objects.get(pk=int(self.name)).content()

    def remove(self) -> None:
        """It is done with."""
        forget(int(self.name))


# --- The pages ----------------------------------------------------------------------------------------------------
class FilesAdmin(ImportExportMixin, RoadAdmin):
    """Pages over a sheet whose records have files of their own (`files.subjects`)."""

    subject_slug: ClassVar[str]
    import_export_change_list_template = None
    import_template_name = "admin/road_import.html"
    export_template_name = "admin/road_export.html"
    import_form_class = SendForm
    confirm_form_class = ConfirmForm
    resource_classes: ClassVar = [RoadResource]
    tmp_storage_class = Kept
    from_encoding = None

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Whether the reader may bring files in at all."""
        return self._may(request, Verb.WORK)

    @property
    def subject(self) -> Subject:
        """What its files are of."""
        return SUBJECTS[self.subject_slug]

    def get_import_formats(self) -> list[type[Format]]:
        """Whatever can be read."""
        return [AnyFile]

    def get_export_formats(self) -> list[type[Format]]:
        """Both kinds of file."""
        return [CsvFile, WorkbookFile]

    def get_import_form_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """Who asks, and of what."""
        return super().get_import_form_kwargs(request) | {"user": request.user, "subject": self.subject}

    def get_import_form_initial(self, request: HttpRequest) -> dict[str, Any]:
        """The customer who is meant by the address, or by the list that one comes from."""
        customer = self._asked_customer(request)
        return {"customer": customer.slug if customer else ""}

    def get_confirm_form_kwargs(self, request: HttpRequest, import_form: Any = None) -> dict[str, Any]:
        """Who asks, and of what."""
        return super().get_confirm_form_kwargs(request, import_form) | {
            "user": request.user,
            "subject": self.subject,
        }

    def get_export_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """What the rows are."""
        return {"subject": self.subject}

    def get_import_resource_kwargs(
        self, request: HttpRequest, form: Any = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Whose file it is and what it may do, where that is known already."""
        found: dict[str, Any] = {"subject": self.subject}
        if isinstance(form, ConfirmForm):
            assert form.upload is not None
            found |= {
                "scope": Scope(request.user, form.upload.customer),
                "mode": Mode(form.upload.mode),
                "facts": RequestFacts.of(request, SOURCE),
                "seen": form.cleaned_data["seen"],
            }
        elif form is not None and form.is_bound and form.is_valid():
            found |= {
                "scope": Scope(request.user, form.cleaned_data["customer"]),
                "mode": Mode(form.cleaned_data["mode"]),
            }
        return found

    def write_to_tmp_storage(self, import_file: Any, input_format: Format) -> Kept:
        """Keep a file until it is confirmed."""
        return Kept(str(hold(import_file.chunks(), **import_file.keeping).pk))

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Write what was shown; a form that doesn't say what that was is refused."""
        response = super().process_import(request, **kwargs)
        if isinstance(response, TemplateResponse):
            response.context_data = (response.context_data or {}) | {
                "title": _("Import"),
                "lists": capfirst(str(self.opts.verbose_name_plural)),
            }
            response.status_code = 422
        return response

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Ask for a file, or show what it would do; what isn't to be confirmed isn't kept."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method != "POST" and self._asked_customer(request) is None:
            return self._choose_customer(request)
        shown = False
        try:
            response = super().import_action(request, **kwargs)
            context = response.context_data
            told: Told | None = context.get("result")
            if told is not None and (shown := "confirm_form" in context):
                context["confirm_form"].initial["seen"] = told.seen
        finally:
            if not shown and (name := getattr(request.FILES.get("import_file"), "tmp_storage_name", "")):
                Kept(name).remove()
        response.context_data |= {
            "title": _("Import"),
            "subject": self.subject,
            "counts": told.made.counts if told and told.made else {},
            "lists": capfirst(str(self.opts.verbose_name_plural)),
        }
        if told is not None and "confirm_form" not in context:
            response.status_code = 422
        return response

    def process_result(self, result: Told, request: HttpRequest) -> HttpResponse:
        """Say how it ended; the history has it from the road, and Django's own log isn't kept."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        if result.base_errors or result.ended in (Outcome.CONFLICT, Outcome.REFUSED):
            sentence = _(
                "Something has changed since the preview: nothing was imported. Send the file again."
            )
            messages.error(request, " ".join(result.sentences) or sentence)
            return redirect(f"admin:{name}_import")
        if result.ended is Outcome.UNCHANGED:
            messages.info(request, _("Nothing to save: everything is as it was."))
        else:
            counts: Mapping[str, int] = result.made.counts if result.made else {}
            messages.success(
                request,
                _("Imported: %(new)s created, %(changed)s changed, %(unchanged)s as they were.")
                % {"new": counts[NEW], "changed": counts[CHANGED], "unchanged": counts[UNCHANGED]},
            )
        return redirect(f"admin:{name}_changelist")

    def export_action(self, request: HttpRequest) -> HttpResponseBase:
        """Ask for which customer, then send the file: of what the list shows of them."""
        try:
            shown = self.get_export_queryset(request)
        except IncorrectLookupParameters:
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_export")
        customer = self._asked_customer(request)
        if request.method != "POST" and customer is None:
            return self._choose_customer(request)
        form = WantedForm(
            self.get_export_formats(),
            self.get_export_resource_classes(request),
            data=request.POST or None,
            user=request.user,
            initial={"customer": customer.slug if customer else ""},
        )
        if form.is_valid():
            wanted = self.get_export_formats()[int(form.cleaned_data["format"])]()
            return self._do_file_export(wanted, request, shown, form)
        request.current_app = self.admin_site.name
        context = self.init_request_context_data(request, form)
        return TemplateResponse(request, self.export_template_name, context)

    def init_request_context_data(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        """What the page that asks shows."""
        return super().init_request_context_data(request, form) | {
            "title": _("Export"),
            "lists": capfirst(str(self.opts.verbose_name_plural)),
        }

    def _do_file_export(
        self, file_format: CsvFile, request: HttpRequest, queryset: QuerySet, export_form: Any = None
    ) -> StreamingHttpResponse:
        """The file, as it is written: no secret is ever in one of the desk's."""
        customer = export_form.cleaned_data["customer"]
        scope = Scope(request.user, customer)
        pieces = written(
            file_format.kind, customer.name, self.subject.header(), self.subject.rows(scope, queryset)
        )
        name = f"{customer.slug}-{self.subject_slug}-{timezone.localdate().isoformat()}.{file_format.kind}"
        return attached(name, file_format.kind, pieces)
