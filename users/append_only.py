"""The database itself refuses to change, delete or empty history, by triggers that a migration installs.

Whoever may alter the tables themselves (their owner, a superuser) can take the triggers away: that is no statement that comes by
mistake or through a hole of ours.
"""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLES = ("users_operation", "users_change", "users_mention")

POSTGRESQL = """
CREATE OR REPLACE FUNCTION history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'history is append-only'; END $$;
"""
# By name, what it stands before, and for what it is called. TRUNCATE knows no rows.
POSTGRESQL_TRIGGERS = {
    "{table}_append_only": ("UPDATE OR DELETE", "ROW"),
    "{table}_no_truncate": ("TRUNCATE", "STATEMENT"),
}
POSTGRESQL_TRIGGER = """
CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH {of} EXECUTE FUNCTION history_is_append_only();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name};
"""
# REPLACE deletes the row that is in its way, and SQLite calls no trigger of a deletion for that.
SQLITE_TRIGGERS = {
    "{table}_no_UPDATE": ("UPDATE", ""),
    "{table}_no_DELETE": ("DELETE", ""),
    "{table}_no_REPLACE": ("INSERT", "WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"),
}
SQLITE_TRIGGER = """
CREATE TRIGGER {name} BEFORE {verb} ON {table} {when}
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
"""


def install(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the history's tables append-only."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)
        for table in TABLES:
            for name, (verb, of) in POSTGRESQL_TRIGGERS.items():
                schema_editor.execute(
                    POSTGRESQL_TRIGGER.format(name=name.format(table=table), verb=verb, table=table, of=of)
                )
    else:
        for table in TABLES:
            for name, (verb, when) in SQLITE_TRIGGERS.items():
                facts = {"name": name.format(table=table), "when": when.format(table=table)}
                schema_editor.execute(SQLITE_TRIGGER.format(verb=verb, table=table, **facts))


def remove(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Lift the protection: to take the migration back, and to empty a test's database."""
    for table in TABLES:
        if schema_editor.connection.vendor == "postgresql":
            for name in POSTGRESQL_TRIGGERS:
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {name.format(table=table)} ON {table}")
        else:
            for name in SQLITE_TRIGGERS:
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {name.format(table=table)}")
