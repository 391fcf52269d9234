"""The addresses of the users app: customers, and what is theirs, under /c/<customer>/."""

from django.urls import path, re_path

from users.company.views import company, customers, new_customer, numbers, ownership, suspension
from users.history import views as history
from users.history import views_undo as undo
from users.people.views import access, chosen, editor, links, people, replacing, search
from users.road.pages import jobs

urlpatterns = [
    path("customers", customers.customers, name="customers"),
    path("customers/pick", customers.customers_pick, name="customers_pick"),
    path("customers/new", new_customer.customer_create, name="customer_create"),
    path("customers/new/proposal", new_customer.customer_proposal, name="customer_proposal"),
    path("customers/new/numbers", new_customer.customer_numbers, name="customer_numbers"),
    path("customers/<slug:slug>/created", new_customer.customer_created, name="customer_created"),
    path("c/<slug:slug>/numbers/<int:pk>/rings", numbers.did_assign, name="did_assign"),
    *company.DEPARTMENTS.urls(),
    *numbers.NUMBERS.urls(),
    *company.SYSTEM_EXTENSIONS.urls(),
    path("c/<slug:slug>/settings/", company.settings_start, name="settings_start"),
    path("c/<slug:slug>/settings/roles", company.roles, name="roles"),
    path("c/<slug:slug>/ownership", ownership.customer_ownership, name="customer_ownership"),
    path("c/<slug:slug>/suspension", suspension.customer_suspension, name="customer_suspension"),
    path("c/<slug:slug>/settings/<slug:tab>", company.customer_settings, name="customer_settings"),
    path("c/<slug:slug>/users/", people.users, name="users"),
    path("c/<slug:slug>/users/columns", people.users_columns, name="users_columns"),
    path("c/<slug:slug>/users/new", people.user_create, name="user_create"),
    path("c/<slug:slug>/users/chosen/set", chosen.chosen_set, name="chosen_set"),
    path("c/<slug:slug>/users/chosen/look", chosen.chosen_look, name="chosen_look"),
    path("c/<slug:slug>/users/chosen/copy", chosen.copy, name="chosen_copy"),
    *chosen.PEOPLE.urls(),
    path("c/<slug:slug>/destinations", search.destination_search, name="destination_search"),
    path("me/destinations", search.own_destination_search, name="own_destination_search"),
    path("c/<slug:slug>/users/reset/<int:operation>", chosen.reset_done, name="reset_done"),
    path("c/<slug:slug>/users/<str:number>/sign-in", access.user_sign_in, name="user_sign_in"),
    path("c/<slug:slug>/users/<str:number>/reset", people.user_reset, name="user_reset"),
    path("c/<slug:slug>/users/<str:number>/app", links.app_link, name="app_link"),
    path("c/<slug:slug>/users/<str:number>/app/rps", links.rps_key, name="rps_key"),
    path("c/<slug:slug>/users/<str:number>/app/qr.png", links.app_link_qr, name="app_link_qr"),
    path(
        "c/<slug:slug>/users/<str:number>/visualiser/answer",
        people.visualiser_answer,
        name="visualiser_answer",
    ),
    path("c/<slug:slug>/users/<str:number>/replace", replacing.user_replace, name="user_replace"),
    path("c/<slug:slug>/users/<str:number>/delete", people.user_delete, name="user_delete"),
    path("c/<slug:slug>/users/<str:number>/history", history.user_history, name="user_history"),
    path("c/<slug:slug>/users/<str:number>/<slug:tab>", editor.user_tab, name="user_tab"),
    path("c/<slug:slug>/history", history.history, name="history"),
    path("history", history.audit, name="audit"),
    path("c/<slug:slug>/history/of/<slug:table>/<int:pk>", history.record_history, name="record_history"),
    path("c/<slug:slug>/history/<int:operation>", history.operation, name="operation"),
    path("c/<slug:slug>/history/<int:operation>/undo", undo.undo_operation, name="undo"),
    path("c/<slug:slug>/jobs/", jobs.job_list, name="job_list"),
    path("c/<slug:slug>/jobs/<int:pk>", jobs.job, name="job"),
    path("c/<slug:slug>/jobs/<int:pk>/cancel", jobs.job_cancel, name="job_cancel"),
    path("me/jobs", jobs.own_jobs, name="own_jobs"),
    path("me/jobs/bell", jobs.bell, name="bell"),
    path("me/app", links.own_app, name="own_app"),
    path("me/app/qr.png", links.own_app_qr, name="own_app_qr"),
    path("app/<str:token>", links.app_config, name="app_config"),
    re_path(r"^app(?:/|\Z)", links.app_config, name="app_config_nothing"),
]
