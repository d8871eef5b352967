"""Items in DynamoDB tables, and the rules that are known to hold for them."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

# A table, and the item's key as text.
ItemId = tuple[str, ...]


@dataclass(frozen=True)
class Entity:
    """A kind of item: the table, and a template for each key attribute in the rule language."""

    table: str
    key: dict[str, str]


@dataclass
class Item:
    id: ItemId
    entity: str
    attributes: dict[str, Any]


@dataclass
class Reference:
    """A foreign key: from which items to which. Several of `sources` are equivalent, such as those
    of a membership and of its mirror; a rule file declares one of them."""

    name: str
    sources: list[dict[ItemId, frozenset[ItemId]]]


@dataclass
class Mirror:
    """The mirror of each source item, and the attributes that it copies."""

    name: str
    pairs: dict[ItemId, ItemId]
    copied: frozenset[str]


@dataclass
class Design:
    name: str
    tables: dict[str, list[str]]
    """The key of each table, as in a rule file: `id:N` is a number."""
    entities: dict[str, Entity] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    mirrors: list[Mirror] = field(default_factory=list)

    def key_attributes(self, table: str) -> list[str]:
        return [attribute.removesuffix(":N") for attribute in self.tables[table]]

    def write_dump(self, path: Path, items: list[Item]) -> None:
        """Writes items in the format of `referee replay --dump`."""
        tables: dict[str, list] = {table: [] for table in self.tables}
        for item in items:
            tables[item.id[0]].append(
                {name: typed(value) for name, value in item.attributes.items()}
            )
        path.write_text(json.dumps(tables, ensure_ascii=False), encoding="utf-8")

    def write_truth(self, path: Path) -> None:
        """Writes the rules that hold, for people who look at a result."""
        truth = {
            "tables": self.tables,
            "entities": {name: vars(entity) for name, entity in self.entities.items()},
            "references": {
                it.name: [
                    {"from": source, "to": sorted(targets)}
                    for source, targets in list(it.sources[0].items())[:3]
                ]
                for it in self.references
            },
            "mirrors": {
                it.name: {"copied": sorted(it.copied), "pairs": list(it.pairs.items())[:3]}
                for it in self.mirrors
            },
        }
        path.write_text(json.dumps(truth, indent=2, ensure_ascii=False), encoding="utf-8")


def text(value: str | int | Decimal) -> str:
    """A value as it is written in a key: DynamoDB writes numbers without trailing zeros."""
    if isinstance(value, str):
        return value
    plain = format(Decimal(value), "f")
    return (plain.rstrip("0").rstrip(".") if "." in plain else plain) or "0"


def typed(value: Any) -> dict:
    """A value in DynamoDB's JSON."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": text(value)}
        case str():
            return {"S": value}
        case set() | frozenset():
            kind = "NS" if isinstance(next(iter(value)), int | Decimal) else "SS"
            return {kind: sorted(map(text, value))}
        case list():
            return {"L": [typed(element) for element in value]}
        case dict():
            return {"M": {name: typed(inner) for name, inner in value.items()}}
    raise TypeError(f"no DynamoDB type for {value!r}")
