"""Where a source writes a table: read off its syntax, whatever the variable is called that holds the rows.

Types aren't known here, so the shape of a call says what it may be: Django's `update` and `create` take keywords only, `delete`
nothing, `save` nothing by position. With something by position it is a dictionary's, a picture's or a file's. Everything else
counts as a write.
"""

import ast
import re
from collections.abc import Iterator

# Calls that write where nothing is given by position.
SHAPED = {"update", "create", "save", "delete"}
# Calls that write whatever they are given.
ALWAYS = {"bulk_create", "bulk_update", "get_or_create", "update_or_create", "save_base", "_raw_delete", "copy_expert"}  # fmt: skip
WRITES = SHAPED | ALWAYS | {f"a{name}" for name in SHAPED | ALWAYS}
# Calls of a set of rows that hangs on a record: `person.groups.add(group)`.
RELATED = {"add", "set", "remove", "clear"}
SQL = re.compile(r"\b(INSERT|UPDATE|DELETE|TRUNCATE|COPY|MERGE|CREATE|DROP|ALTER)\b")


def writes(source: str, relations: frozenset[str] = frozenset()) -> list[int]:
    """The lines at which a module writes tables; `relations` names the sets of rows that hang on records.

    A store's class is left out: the road calls it, within its own transaction.
    """
    tree = ast.parse(source)
    modules = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.name.islower()
    }
    return sorted(set(_lines(tree, relations, modules | {"self"})))


def _lines(node: ast.AST, relations: frozenset[str], elsewhere: set[str]) -> Iterator[int]:
    if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Store") for base in node.bases):
        return
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Call):
        if _is_write(node, relations):
            yield node.lineno
        if isinstance(node.func, ast.Attribute):
            children[children.index(node.func)] = node.func.value
    elif isinstance(node, ast.Attribute) and node.attr in WRITES and ast.unparse(node.value) not in elsewhere:
        yield node.lineno  # handed over, to be called by somebody else
    for child in children:
        yield from _lines(child, relations, elsewhere)


def _is_write(call: ast.Call, relations: frozenset[str]) -> bool:
    match call.func:
        case ast.Name("getattr"):
            return any(isinstance(word, ast.Constant) and word.value in WRITES for word in call.args)
        case ast.Attribute(attr=name) if name in SHAPED or name[1:] in SHAPED:
            return not call.args or isinstance(call.args[0], ast.Starred)
        case ast.Attribute(attr=name) if name in WRITES:
            return True
        case ast.Attribute(value=ast.Attribute(attr=owner), attr=name) if name in RELATED:
            return owner in relations
        case ast.Attribute(attr="execute" | "executemany"):
            return not call.args or _may_write(call.args[0])
    return False


def _may_write(statement: ast.expr) -> bool:
    """SQL that stands there says what it does; in a variable it may be anything."""
    if isinstance(statement, ast.Constant | ast.JoinedStr):
        return bool(SQL.search(ast.unparse(statement)))
    return True
