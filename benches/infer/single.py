"""All relational tables in one DynamoDB table: a single-table design."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from design import Design, Entity, Item, ItemId, Mirror, Reference, text
from relational import ForeignKey, Row, Schema, Table, occurs_in_key

TABLE = "app"
CAPTURE = re.compile(r"\{(\w+)(?::0(\d+))?\}")


@dataclass(frozen=True)
class Key:
    """The templates of an item's keys, whose captures have the names of columns."""

    pk: str
    sk: str

    def renamed(self, names: dict[str, str]) -> "Key":
        def rename(capture: re.Match) -> str:
            return capture[0].replace(capture[1], names[capture[1]], 1)

        return Key(CAPTURE.sub(rename, self.pk), CAPTURE.sub(rename, self.sk))

    def columns(self) -> set[str]:
        return {capture[1] for capture in CAPTURE.finditer(self.pk + self.sk)}

    def shape(self) -> tuple[str, str]:
        """What remains if captures have no names. Entities of one table have different shapes."""
        return CAPTURE.sub("{}", self.pk), CAPTURE.sub("{}", self.sk)

    def id(self, row: Row) -> ItemId:
        return TABLE, fill(self.pk, row), fill(self.sk, row)


def fill(template: str, row: Row) -> str:
    return CAPTURE.sub(lambda it: text(row[it[1]]).zfill(int(it[2] or 0)), template)


class Style:
    """The conventions of a design, drawn at random."""

    def __init__(self, schema: Schema, random: Random, labels: bool):
        self.separator = random.choice([it for it in "##:|_" if not occurs_in_key(schema, it)])
        self.key = random.choice([("pk", "sk"), ("PK", "SK"), ("partitionKey", "sortKey")])
        self.type = random.choice([None, None, "type", "Type", "entityType", "_et", "__typename"])
        self.label_case = random.choice([str.lower, str.upper, str.capitalize])
        self.root_sort = random.choice(["same", "same", "literal", "label", "metadata"])
        self.root_labels = labels or self.root_sort == "same" or random.random() < 0.85
        self.repeats_keys = random.random() < 0.5
        self.whole_keys = random.random() < 0.25
        self.index = random.choice([None, None, "added", "added", "instead"])
        self.dates_in_keys = random.random() < 0.4
        self.width = random.choice([0, 0, 0, 6, 10])
        self.copies_all = random.random() < 0.5
        short = random.random() < 0.2
        # Keys as ElectroDB writes them: `$app#userid_1` and `$order_1#orderid_2`.
        self.electro = not labels and random.random() < 0.12
        if self.electro:
            self.separator, self.whole_keys, self.index = "#", False, None
            self.root_labels, self.repeats_keys = False, True
            self.type, self.label_case = "__edb_e__", str.lower
        self.labels = {name: self._label(name, short) for name in schema.tables}
        if len(set(self.labels.values())) < len(self.labels):
            self.labels = {name: self._label(name, False) for name in schema.tables}

    def _label(self, table: str, short: bool) -> str:
        return self.label_case(table[:2] if short else table.replace("_", ""))


class Layout:
    """The keys of all items of a schema."""

    def __init__(self, schema: Schema, style: Style):
        self.schema = schema
        self.style = style
        self.keys: dict[str, Key] = {}
        self.roots: set[str] = set()
        self.joins: dict[str, tuple[ForeignKey, ForeignKey]] = {}
        # The keys of roots come first, because others avoid their shapes.
        for table in sorted(schema.tables.values(), key=lambda it: not self._is_root(it)):
            self._key(table)

    def _key(self, table: Table) -> Key:
        if table.name not in self.keys:
            self.keys[table.name] = self._root(table) if self._is_root(table) else self._child(table)
        return self.keys[table.name]

    def _is_root(self, table: Table) -> bool:
        return self._parent(table) is None

    def _parent(self, table: Table) -> ForeignKey | None:
        """The foreign key to the item in whose partition the items of a table are: the longest one
        at the beginning of the key, or for a table that nothing refers to, that to its owner."""
        leading = [
            key for key in table.foreign_keys if key.columns == table.key[: len(key.columns)]
        ]
        if leading:
            return max(leading, key=lambda key: len(key.columns))
        if self.schema.references_to(table.name):
            return None
        return next((key for key in table.foreign_keys if key.owned), None)

    def _root(self, table: Table) -> Key:
        self.roots.add(table.name)
        if self.style.electro:
            return Key(self._named("$app", table, table.key), f"${self.style.labels[table.name]}_1")
        separator, label = self.style.separator, self.style.labels[table.name]
        captures = separator.join(self._capture(table, column) for column in table.key)
        pk = f"{label}{separator}{captures}" if self.style.root_labels else captures
        sk = {
            "same": pk,
            "literal": "profile" if self.style.root_labels else label,
            "label": f"{label}{separator}",
            "metadata": f"{separator}METADATA{separator}{captures}",
        }[self.style.root_sort]
        if not self.style.root_labels and self.style.root_sort == "metadata":
            sk = f"{separator}{label}{separator}{captures}"
        return Key(pk, sk)

    def _child(self, table: Table) -> Key:
        separator, label = self.style.separator, self.style.labels[table.name]
        parent = self._parent(table)
        above = self.at(parent)
        base = "" if parent.target in self.roots else above.sk + separator
        rest = [column for column in table.key if column not in parent.columns]
        if self.style.electro:
            outer = () if parent.target in self.roots else parent.columns[1:]
            return Key(above.pk, self._named(f"${label}_1", table, (*outer, *rest)))
        partner = next((key for key in table.foreign_keys if key.columns == tuple(rest)), None)
        if partner and not base and self._parent(self.schema.tables[partner.target]) is None:
            key = Key(above.pk, self.at(partner).pk)
            taken = {it.shape() for it in self.keys.values()}
            if key.shape() not in taken and self.style.root_labels:
                self.joins[table.name] = (parent, partner)
                return key
        if self.style.dates_in_keys and self._has_date(table):
            rest = ["created", *rest]
        captures = [self._capture(table, column) for column in rest]
        return Key(above.pk, base + separator.join([label, *captures]))

    def _has_date(self, table: Table) -> bool:
        return "created" in table.rows[0] and not self.schema.references_to(table.name)

    def _capture(self, table: Table, column: str) -> str:
        number = not isinstance(table.rows[0][column], str)
        return f"{{{column}:0{self.style.width}}}" if number and self.style.width else f"{{{column}}}"

    def _named(self, prefix: str, table: Table, columns: Sequence[str]) -> str:
        names = [f"{column.lower()}_{self._capture(table, column)}" for column in columns]
        return "#".join([prefix, *names])

    def at(self, key: ForeignKey) -> Key:
        """The referenced key, with the columns that refer to it."""
        target = self.schema.tables[key.target]
        return self._key(target).renamed(dict(zip(target.key, key.columns)))

    def target(self, key: ForeignKey, values: tuple) -> ItemId:
        target = self.schema.tables[key.target]
        return self.keys[target.name].id(dict(zip(target.key, values)))


class Writer:
    """Writes the items of each table, and the rules that hold for them."""

    def __init__(self, layout: Layout, design: Design, mirrors: bool):
        self.layout = layout
        self.style = layout.style
        self.design = design
        self.mirrors = mirrors

    def write(self, table: Table) -> None:
        key = self.layout.keys[table.name]
        self.design.entities[table.name] = self._entity(key)
        items = [
            Item(key.id(row), table.name, self._attributes(table, key, row)) for row in table.rows
        ]
        self.design.items.extend(items)
        references = [self._reference(table, it) for it in table.foreign_keys]
        if self.mirrors and self._is_mirrored(table):
            pairs = self._write_mirrors(table, items)
            for reference in references:
                [source] = reference.sources
                reference.sources.append({pairs[id]: targets for id, targets in source.items()})
        self.design.references.extend(references)

    def _is_mirrored(self, table: Table) -> bool:
        """Whether a table links rows of two tables. If it links rows of one table, as a follower
        does, the mirrors of its items would look like other items of it."""
        parent, partner = self.layout.joins.get(table.name, (None, None))
        return parent is not None and parent.target != partner.target

    def _entity(self, key: Key) -> Entity:
        return Entity(TABLE, dict(zip(self.style.key, (key.pk, key.sk))))

    def _reference(self, table: Table, key: ForeignKey) -> Reference:
        own = self.layout.keys[table.name]
        source = {
            own.id(row): frozenset(self.layout.target(key, it) for it in key.targets(row))
            for row in table.rows
        }
        return Reference(f"{table.name}.{','.join(key.columns)} -> {key.target}", [source])

    def _attributes(self, table: Table, key: Key, row: Row) -> dict:
        columns = set(row) if self.style.repeats_keys else set(row) - key.columns()
        attributes = dict(zip(self.style.key, key.id(row)[1:]))
        attributes |= {
            name: value for name, value in row.items() if name in columns and value is not None
        }
        for reference in table.foreign_keys:
            self._write_reference(reference, key, row, attributes)
        if self.style.type:
            attributes[self.style.type] = self.style.label_case(table.name)
        return attributes

    def _write_reference(self, reference: ForeignKey, key: Key, row: Row, attributes: dict) -> None:
        """Writes a reference outside the key as the style demands: as the referenced key, or as the
        key of an index."""
        [column, *others] = reference.columns
        to_root = reference.target in self.layout.roots and self.style.root_labels
        if others or column in key.columns() or row.get(column) is None or not to_root:
            return
        referenced = fill(self.layout.at(reference).pk, row)
        if self.style.whole_keys:
            attributes[column] = referenced
        index_pk, index_sk = (name if name.islower() else name.upper() for name in self._index())
        if self.style.index and index_pk not in attributes:
            attributes[index_pk] = referenced
            attributes[index_sk] = attributes[self.style.key[0]]
            if self.style.index == "instead":
                attributes.pop(column, None)

    def _index(self) -> tuple[str, str]:
        return ("gsi1pk", "gsi1sk") if self.style.key[0] != "PK" else ("GSI1PK", "GSI1SK")

    def _write_mirrors(self, table: Table, items: list[Item]) -> dict[ItemId, ItemId]:
        parent, partner = self.layout.joins[table.name]
        key = Key(self.layout.at(partner).pk, self.layout.at(parent).pk)
        name = f"{table.name}_mirror"
        self.design.entities[name] = self._entity(key)
        pairs = {}
        copied: set[str] = set()
        for row, item in zip(table.rows, items):
            names = set(item.attributes) - set(self.style.key)
            if not self.style.copies_all:
                names -= {"created", "note"}
            copied |= names
            attributes = dict(zip(self.style.key, key.id(row)[1:]))
            attributes |= {it: value for it, value in item.attributes.items() if it in names}
            self.design.items.append(Item(key.id(row), name, attributes))
            pairs[item.id] = key.id(row)
        self.design.mirrors.append(Mirror(table.name, pairs, frozenset(copied)))
        return pairs


def single_table(schema: Schema, random: Random, mirrors: bool = False) -> Design:
    layout = Layout(schema, Style(schema, random, labels=mirrors))
    suffix = "mirrors" if mirrors else "single"
    design = Design(f"{schema.name} {suffix}", {TABLE: list(layout.style.key)})
    writer = Writer(layout, design, mirrors)
    for table in schema.tables.values():
        writer.write(table)
    return design
