"""One DynamoDB table for each relational table."""

from random import Random

from design import Design, Entity, Item, ItemId, Reference, text
from relational import Row, Schema, Table, occurs_in_key

TABLE_NAMES = [
    lambda name: name,
    lambda name: f"{name}s",
    lambda name: f"prod-{name}",
    lambda name: f"{name}_table",
]


class Layout:
    """How the relational tables of a schema are laid out."""

    def __init__(self, schema: Schema, random: Random):
        self.schema = schema
        self.name_of = random.choice(TABLE_NAMES)
        self.separator = random.choice([it for it in "#|:" if not occurs_in_key(schema, it)])

    def id(self, table: Table, key: tuple) -> ItemId:
        """The item of a row. From the third column on, columns are joined in the sort key."""
        parts = [text(value) for value in key]
        if len(parts) > 2:
            parts = [parts[0], self.separator.join(parts[1:])]
        return (self.name_of(table.name), *parts)

    def key(self, table: Table) -> tuple[list[str], dict[str, str]]:
        """The key attributes as in a rule file, and their templates."""
        columns = list(table.key)
        templates = {column: f"{{{column}}}" for column in columns[:2]}
        if len(columns) > 2:
            sort = self.separator.join(f"{{{column}}}" for column in columns[1:])
            return [_declared(table, columns[0]), "sk"], {columns[0]: f"{{{columns[0]}}}", "sk": sort}
        return [_declared(table, column) for column in columns], templates

    def attributes(self, table: Table, row: Row) -> dict:
        attributes = {name: value for name, value in row.items() if value is not None}
        if len(table.key) > 2:
            attributes["sk"] = self.id(table, table.key_of(row))[2]
        return attributes


def _declared(table: Table, column: str) -> str:
    return column if isinstance(table.rows[0][column], str) else f"{column}:N"


def multi_table(schema: Schema, random: Random) -> Design:
    layout = Layout(schema, random)
    design = Design(f"{schema.name} multi", {})
    for table in schema.tables.values():
        name = layout.name_of(table.name)
        design.tables[name], templates = layout.key(table)
        design.entities[table.name] = Entity(name, templates)
        for row in table.rows:
            id = layout.id(table, table.key_of(row))
            design.items.append(Item(id, table.name, layout.attributes(table, row)))
        for key in table.foreign_keys:
            target = schema.tables[key.target]
            source = {
                layout.id(table, table.key_of(row)): frozenset(
                    layout.id(target, it) for it in key.targets(row)
                )
                for row in table.rows
            }
            name = f"{table.name}.{','.join(key.columns)} -> {target.name}"
            design.references.append(Reference(name, [source]))
    return design
