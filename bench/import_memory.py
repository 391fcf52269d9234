"""What a process takes to import a file, and to export it again: started by itself, because memory is of a process.

    python -m bench.import_memory [people]

Prints what the process holds before, and the most that it held by the end of the import and of the export, in MB of resident memory.
"""

import resource

from bench.imports import PEOPLE, customer_of

from django.test.runner import DiscoverRunner  # isort: skip
from files.exporting.people import Layout, header, rows  # isort: skip
from files.exporting.writing import Kind, written  # isort: skip
from files.importing.importing import look_at  # isort: skip
from files.importing.imports import write  # isort: skip
from files.tests import generated  # isort: skip
from pbxadmin.common.columns import Scope  # isort: skip
from users.models import User  # isort: skip
from users.tests.factories import FACTS, make_staff  # isort: skip


def most() -> int:
    """The most that this process has held until now, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """One import, one export."""
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        scope = Scope(make_staff(), customer_of("vide"))
        content = generated.as_csv(generated.make(PEOPLE, digits=5)[0])
        idle = most()
        write(look_at(content, scope), FACTS)
        imported = most()
        scope = Scope(scope.actor, scope.customer)
        everybody = User.objects.of(scope.customer).order_by("number")
        for _piece in written(Kind.CSV, "", header(Layout.V20), rows(scope, everybody, Layout.V20)):
            pass
        print(
            f"memory of a process that imports {PEOPLE} rows: {imported} MB (goal 600 for 50,000; {idle} before), "
            f"and that exports them then: {most()} MB",
            flush=True,
        )
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
