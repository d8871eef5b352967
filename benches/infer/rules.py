"""A rule file as data, read without the code that it judges."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Any

import yaml

from design import Item, ItemId, text
from relational import values

PART = re.compile(r"\{\{|\}\}|\{(\w+)(\*?)(?::([^}]*))?\}|([^{}]+)")


class Template:
    """A key template: literal text and captures."""

    def __init__(self, source: str, separator: str):
        self.parts: list[tuple[str, str | None]] = []
        pattern, seen = "", set()
        for name, rest, form, literal in PART.findall(source):
            if not name:
                literal = literal or "{"
                self.parts.append((literal, None))
                pattern += re.escape(literal)
                continue
            self.parts.append((name, form))
            value = _pattern(form, separator, bool(rest))
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>{value})"
            seen.add(name)
        self.pattern = re.compile(pattern, re.DOTALL)

    def captures(self) -> list[str]:
        return [name for name, form in self.parts if form is not None]

    def parse(self, key: str) -> dict[str, str] | None:
        match = self.pattern.fullmatch(key)
        return match and {
            name: value.lstrip("0") or "0" if self._is_padded(name) else value
            for name, value in match.groupdict().items()
        }

    def _is_padded(self, name: str) -> bool:
        return any(it == name and form and form[0] == "0" for it, form in self.parts)

    def build(self, captures: dict[str, str]) -> str:
        return "".join(
            part if form is None else _written(captures[part], form) for part, form in self.parts
        )

    def shape(self, numbers: dict[str, int]) -> str:
        """The template without the names and formats of captures, which may differ. `{id:org_*}`
        and `org_{id}` match the same keys."""
        shape = ""
        for part, form in self.parts:
            if form is None:
                shape += part
            else:
                literal = form.removesuffix("*") if form.endswith("*") else ""
                shape += f"{literal}{{{numbers.setdefault(part, len(numbers))}}}"
        return shape


def _pattern(form: str, separator: str, rest: bool) -> str:
    value = ".+" if rest else f"[^{re.escape(separator)}]+?"
    if form.endswith("*"):
        return re.escape(form[:-1]) + value
    if form.isdigit():
        return f"[0-9]{{{int(form)}}}" if form[0] == "0" else f".{{{form}}}"
    return value


def _written(value: str, form: str) -> str:
    match form:
        case "lower":
            return value.lower()
        case "upper":
            return value.upper()
    return value.zfill(int(form)) if form[:1] == "0" else value


@dataclass
class Entity:
    name: str
    table: str
    key: dict[str, Template]
    separator: str = "#"
    where: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)

    def captures(self, item: Item) -> dict[str, str] | None:
        """The captures of an item's key, if the item belongs to the entity."""
        if item.id[0] != self.table:
            return None
        captures: dict[str, str] = {}
        for (attribute, template), part in zip(self.key.items(), item.id[1:], strict=False):
            parsed = template.parse(part)
            if attribute not in item.attributes or parsed is None:
                return None
            if any(captures.get(name, value) != value for name, value in parsed.items()):
                return None
            captures |= parsed
        return captures if self._meets_where(item) else None

    def _meets_where(self, item: Item) -> bool:
        return all(
            [_plain(it) for it in values(item.attributes, path)] == [expected]
            for path, expected in self.where.items()
        )

    def id(self, captures: dict[str, str]) -> ItemId:
        return (self.table, *(template.build(captures) for template in self.key.values()))

    def shape(self) -> dict[str, str]:
        numbers: dict[str, int] = {}
        return {attribute: template.shape(numbers) for attribute, template in self.key.items()}


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else text(value)


@dataclass
class Reference:
    name: str
    source: Entity
    targets: list[Entity]
    on: dict[str, str]
    by: str | None = None
    values: list[str] = field(default_factory=list)
    """The discriminator, and the value that means each target."""

    def of(self, item: Item, captures: dict[str, str]) -> set[ItemId]:
        """The items that an item refers to. A part that is missing or malformed refers to none."""
        found = set()
        meant = self._values(item, captures, self.by) if self.by else None
        for target, value in zip(self.targets, self.values or self.targets):
            if meant is not None and value not in meant:
                continue
            names = dict.fromkeys(it for key in target.key.values() for it in key.captures())
            parts = [
                self._values(item, captures, self.on.get(name, f"{{{name}}}")) for name in names
            ]
            for combination in product(*parts):
                built = target.id(dict(zip(names, combination)))
                found.add(built)
        return found

    def _values(self, item: Item, captures: dict[str, str], source: str) -> list[str]:
        path = source.removeprefix("{").removesuffix("}")
        if path in captures:
            return [captures[path]]
        # `{owner.id}` is a part of the text of `owner`, as its declaration names it.
        attribute, _, name = path.rpartition(".")
        form = str(self.source.attributes.get(attribute, ""))
        if "{" in form:
            template = Template(form, self.source.separator)
            parsed = [template.parse(str(it)) for it in values(item.attributes, attribute)]
            return [it[name] for it in parsed if it and name in it]
        return [text(it) for it in values(item.attributes, path) if isinstance(it, str | int | Decimal)]


@dataclass
class Mirror:
    name: str
    source: Entity
    mirror: Entity
    copy: Any


@dataclass
class Rules:
    tables: dict[str, list[str]]
    entities: dict[str, Entity]
    references: list[Reference]
    mirrors: list[Mirror]


def read(source: str) -> Rules:
    """Reads a rule file. All scalars stay text: YAML 1.1 would read `on` as a boolean."""
    file = yaml.load(source, Loader=yaml.BaseLoader) or {}
    tables = file.get("tables") or {}
    names = {name: table.get("name", name) for name, table in tables.items()}
    entities = {}
    for name, it in (file.get("entities") or {}).items():
        separator = tables[it["table"]].get("separator", "#")
        key = {attribute: Template(text, separator) for attribute, text in it["key"].items()}
        order = [attribute.split(":")[0] for attribute in tables[it["table"]]["key"]]
        key = {attribute: key[attribute] for attribute in order if attribute in key}
        conditions, attributes = it.get("where") or {}, it.get("attributes") or {}
        entities[name] = Entity(
            name, names[it["table"]], key, separator, conditions, attributes
        )
    references = []
    for name, it in (file.get("references") or {}).items():
        by, values_of_by = None, []
        if isinstance(it["to"], dict) and "by" in it["to"]:
            by = it["to"]["by"]
            values_of_by = [value for value in it["to"] if value != "by"]
            to = [it["to"][value] for value in values_of_by]
        else:
            to = it["to"] if isinstance(it["to"], list) else [it["to"]]
        targets = [entities[name] for name in to]
        references.append(
            Reference(name, entities[it["from"]], targets, it.get("on") or {}, by, values_of_by)
        )
    mirrors = [
        Mirror(name, entities[it["source"]], entities[it["mirror"]], it.get("copy", "all"))
        for name, it in (file.get("mirrors") or {}).items()
    ]
    keys = {names[name]: table["key"] for name, table in tables.items()}
    return Rules(keys, entities, references, mirrors)
