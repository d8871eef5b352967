"""Relational schemas with rows: what a data set is before it becomes items."""

from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key. A column may be a path into a list or a map, such as `lines[*].productId`."""

    columns: tuple[str, ...]
    target: str
    owned: bool = False
    """Whether a row is a part of the row that it refers to, as a comment is of its ticket."""

    def targets(self, row: Row) -> set[tuple]:
        """The keys that a row refers to. A reference of which a part is missing refers to nothing."""
        return set(product(*(values(row, column) for column in self.columns)))


@dataclass
class Table:
    """A table. Its foreign keys list their columns in the order of the referenced key."""

    name: str
    key: tuple[str, ...]
    foreign_keys: list[ForeignKey]
    rows: list[Row]

    def key_of(self, row: Row) -> tuple:
        return tuple(row[column] for column in self.key)


@dataclass
class Schema:
    name: str
    tables: dict[str, Table] = field(default_factory=dict)

    def add(self, table: Table) -> None:
        self.tables[table.name] = table

    def references_to(self, name: str) -> list[tuple[Table, ForeignKey]]:
        return [
            (table, key)
            for table in self.tables.values()
            for key in table.foreign_keys
            if key.target == name
        ]


def values(value: Any, path: str) -> list:
    """The values at a path: none if it is missing, several if the path goes through a list."""
    step, _, rest = path.partition(".")
    name, _, each = step.partition("[")
    found = value.get(name) if isinstance(value, dict) else None
    if found is None:
        return []
    elements = found if each else [found]
    if not rest:
        return list(elements)
    return [inner for element in elements for inner in values(element, rest)]


def occurs_in_key(schema: Schema, character: str) -> bool:
    """Whether a character cannot separate the parts of keys, because values contain it."""
    return any(
        character in str(value)
        for table in schema.tables.values()
        for row in table.rows
        for value in (*table.key_of(row), row.get("created", "") if table.foreign_keys else "")
    )


def nested(schema: Schema, child: str, parent: str) -> Schema:
    """The same schema, in which the key of `child` begins with the key of its parent.

    This is how an application prepares for a single-table design: an item can be in the partition
    of its parent only if everything that refers to it also knows the parent.
    """
    table = schema.tables[child]
    link = next(key for key in table.foreign_keys if key.target == parent)
    parents = {table.key_of(row): [row[column] for column in link.columns] for row in table.rows}
    result = Schema(schema.name, dict(schema.tables))
    result.add(replace(table, key=link.columns + table.key))
    for referrer, key in schema.references_to(child):
        referrer = result.tables[referrer.name]
        added = [f"{child}_{column}" for column in link.columns]
        rows = []
        for row in referrer.rows:
            [target] = key.targets(row)
            rows.append(dict(zip(added, parents[target])) | row)
        columns = tuple(added) + key.columns
        # A key that begins with the reference also begins with the added columns.
        begins = referrer.key[: len(key.columns)] == key.columns
        result.add(
            replace(
                referrer,
                key=tuple(added) + referrer.key if begins else referrer.key,
                foreign_keys=[
                    replace(key, columns=columns) if it == key else it
                    for it in referrer.foreign_keys
                ],
                rows=rows,
            )
        )
    return result
