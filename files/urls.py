"""The pages of files."""

from django.urls import URLPattern, path

from files.pages import export

HOME = "c/<slug:slug>/files/"

urlpatterns: list[URLPattern] = [
    path(f"{HOME}export", export.export, name="file_export"),
]
