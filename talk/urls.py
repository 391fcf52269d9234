"""The addresses of Talk and Meet, for strangers; and of the visitors, for the person whom they asked for."""

from django.urls import path

from talk import views

urlpatterns = [
    path("me/visitors", views.own_visitors, name="own_visitors"),
    path("me/visitors/meeting", views.own_meeting, name="own_meeting"),
    path("me/visitors/<int:key>", views.own_visitor, name="own_visitor"),
    path("talk/<slug:slug>/<str:name>", views.talk, name="talk"),
    path("meet/waiting/<str:token>", views.waiting, name="meet_waiting"),
    path("meet/<slug:slug>/<str:name>", views.meet, name="meet"),
]
