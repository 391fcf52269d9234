"""The pages of files."""

from django.urls import URLPattern, path

from files.pages import columns, export, history_file, imports, sending

HOME = "c/<slug:slug>/files/"
UPLOAD = f"{HOME}imports/<int:pk>"

urlpatterns: list[URLPattern] = [
    path(HOME, imports.home, name="files"),
    path(f"{HOME}export", export.export, name="file_export"),
    path(f"{HOME}lists/<slug:subject>", sending.list_of, name="file_list"),
    path(f"{HOME}columns", columns.columns, name="file_columns"),
    path(f"{HOME}templates/<slug:format>", columns.template, name="file_template"),
    path("history/file/<slug:kind>", history_file.audit_file, name="audit_file"),
    path("c/<slug:slug>/history/file/<slug:kind>", history_file.history_file, name="history_file"),
    path(f"{HOME}imports", imports.send, name="file_send"),
    path(UPLOAD, imports.upload_page, name="file_upload"),
    path(f"{UPLOAD}/again", imports.again, name="file_again"),
    path(f"{UPLOAD}/take", imports.take, name="file_take"),
    path(f"{UPLOAD}/departments", imports.departments, name="file_departments"),
    path(f"{UPLOAD}/cancel", imports.cancel, name="file_cancel"),
    path(f"{UPLOAD}/discard", imports.discard, name="file_discard"),
    path(f"{UPLOAD}/refused", imports.refused_rows, name="file_refused"),
]
