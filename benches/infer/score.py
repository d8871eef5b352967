"""Compares a rule file with the rules that are known to hold.

The names in a rule file are free, so rules are compared by what they say of the items: a reference
is right if it leads from the same items to the same items.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import rules
from design import Design, Item, ItemId, Mirror, Reference

# The items of a kind for which a rule may differ from the known one.
TOLERANCE = 0.01

Links = dict[ItemId, frozenset[ItemId]]
# The items of each drafted entity, and what their keys capture.
Members = dict[str, list[tuple[Item, dict[str, str]]]]


@dataclass
class Score:
    """Counts of rules, and the names of those that differ."""

    references: int = 0
    found: int = 0
    drafted: int = 0
    right: int = 0
    implied: int = 0
    entities: int = 0
    exact: int = 0
    mirrors: int = 0
    mirrored: int = 0
    copied: int = 0
    unusable: int = 0
    problems: list[str] = field(default_factory=list)

    def __add__(self, other: "Score") -> "Score":
        sums = {
            name: getattr(self, name) + getattr(other, name)
            for name in vars(self)
        }
        return Score(**sums)

    @property
    def recall(self) -> float:
        return self.found / self.references if self.references else 1.0

    @property
    def precision(self) -> float:
        """The share of drafted references that hold. References that follow from others are not
        counted: a rule file may declare them or not."""
        counted = self.drafted - self.implied
        return self.right / counted if counted else 1.0


def score(design: Design, draft: rules.Rules) -> Score:
    """The score of a draft, for all items of a design, whichever of them the draft was made of."""
    result = Score()
    members = {entity.name: _members(entity, design.items) for entity in draft.entities.values()}
    _score_entities(design, draft, members, result)
    _score_references(design, draft, members, result)
    _score_mirrors(design, draft, members, result)
    return result


def _members(entity: rules.Entity, items: list[Item]) -> list[tuple[Item, dict[str, str]]]:
    captured = ((item, entity.captures(item)) for item in items if item.id[0] == entity.table)
    return [(item, captures) for item, captures in captured if captures is not None]


def _score_entities(
    design: Design, draft: rules.Rules, members: Members, result: Score
) -> None:
    drafted = list(draft.entities.values())
    ids = {name: {item.id for item, _ in found} for name, found in members.items()}
    items: dict[str, set[ItemId]] = {}
    for item in design.items:
        items.setdefault(item.entity, set()).add(item.id)
    for name, entity in design.entities.items():
        result.entities += 1
        key = {attribute: rules.Template(it, "#") for attribute, it in entity.key.items()}
        shape = rules.Entity(name, entity.table, key).shape()
        same = [it for it in drafted if it.table == entity.table and it.shape() == shape]
        if any(items[name] <= ids[it.name] for it in same):
            result.exact += 1
        else:
            example = min(items[name])
            closest = [it.shape() for it in drafted if example in ids[it.name]]
            result.problems.append(f"entity {name}: {shape} is drafted as {closest}, {example}")


def _score_references(
    design: Design, draft: rules.Rules, members: Members, result: Score
) -> None:
    items = [item.id for item in design.items]
    known = [
        (index, {id: targets for id, targets in source.items() if targets})
        for index, reference in enumerate(design.references)
        for source in reference.sources
    ]
    equivalent = _equivalent_items(design)
    reached = _closure(design.references, items)
    found = set()
    expected = [index for index, it in enumerate(design.references) if not _follows(it, design)]
    result.references += len(expected)
    for reference in draft.references:
        links = _links(reference, members)
        result.drafted += 1
        matching = [index for index, source in known if _agree(links, source)]
        if matching:
            found.update(matching)
            result.right += 1
        elif links and all(
            targets <= reached.get(id, frozenset()) | equivalent.get(id, frozenset())
            for id, targets in links.items()
        ):
            result.implied += 1
        else:
            result.problems.append(f"wrong reference: {_described(reference, links)}")
    result.found += len(found.intersection(expected))
    for index in expected:
        if index not in found:
            result.problems.append(f"missing reference: {design.references[index].name}")


def _follows(reference: Reference, design: Design) -> bool:
    """Whether a foreign key follows from others, as that of a task to the tenant of its project."""
    others = [it for it in design.references if it is not reference]
    [source, *_] = reference.sources
    reached = _closure(others, source.keys())
    return all(targets <= reached[id] for id, targets in source.items())


def _described(reference: rules.Reference, links: Links) -> str:
    to = ", ".join(it.name for it in reference.targets)
    example = next(iter(links.items()), None)
    return f"{reference.name}: {reference.source.name} -> {to} on {reference.on}, such as {example}"


def _links(reference: rules.Reference, members: Members) -> Links:
    """What each item refers to, without the items that refer to nothing."""
    links = {
        item.id: frozenset(reference.of(item, captures))
        for item, captures in members[reference.source.name]
    }
    return {id: targets for id, targets in links.items() if targets}


def _agree(one: Links, other: Links) -> bool:
    ids = one.keys() | other.keys()
    differing = sum(one.get(id) != other.get(id) for id in ids)
    return bool(ids) and differing <= len(ids) * TOLERANCE


def _equivalent_items(design: Design) -> Links:
    """The mirror of each source, and the other way round."""
    pairs = [pair for mirror in design.mirrors for pair in mirror.pairs.items()]
    return {one: frozenset([other]) for pair in pairs for one, other in (pair, pair[::-1])}


def _closure(references: list[Reference], ids: Iterable[ItemId]) -> Links:
    """The items that each item refers to, directly or through others."""
    direct: dict[ItemId, set[ItemId]] = {}
    for reference in references:
        for source in reference.sources:
            for id, targets in source.items():
                direct.setdefault(id, set()).update(targets)
    closure: dict[ItemId, frozenset[ItemId]] = {}
    for id in ids:
        reached, pending = set(), list(direct.get(id, ()))
        while pending:
            target = pending.pop()
            if target not in reached:
                reached.add(target)
                pending.extend(direct.get(target, ()))
        closure[id] = frozenset(reached)
    return closure


def _score_mirrors(
    design: Design, draft: rules.Rules, members: Members, result: Score
) -> None:
    result.mirrors += len(design.mirrors)
    drafted = [(it, _pairs(it, members)) for it in draft.mirrors]
    items = {item.id: item for item in design.items}
    known = set()
    for mirror in design.mirrors:
        turned = {other: one for one, other in mirror.pairs.items()}
        same = [it for it, pairs in drafted if pairs in (mirror.pairs, turned)]
        known.update(it.name for it in same)
        if not same:
            result.problems.append(f"missing mirror: {mirror.name}")
            continue
        result.mirrored += 1
        if any(_copies(it, mirror, items) for it in same):
            result.copied += 1
        else:
            result.problems.append(
                f"mirror {mirror.name}: copies {same[0].copy}, not {sorted(mirror.copied)}"
            )
    for it, pairs in drafted:
        if it.name not in known:
            result.problems.append(f"wrong mirror: {it.name}, such as {next(iter(pairs.items()), None)}")


def _pairs(mirror: rules.Mirror, members: Members) -> dict[ItemId, ItemId]:
    """The mirror of each source item, as a rule says."""
    return {
        item.id: mirror.mirror.id(captures) for item, captures in members[mirror.source.name]
    }


def _copies(drafted: rules.Mirror, mirror: Mirror, items: dict[ItemId, Item]) -> bool:
    """Whether a drafted rule copies the attributes that the mirrors have."""
    key = set(drafted.source.key)
    held = {name for id in mirror.pairs for name in items[id].attributes} - key
    match drafted.copy:
        case "all":
            copied = held
        case "none":
            copied = set()
        case list():
            copied = set(drafted.copy)
        case _:
            copied = held - set(drafted.copy["except"])
    return copied | set(drafted.mirror.where) == mirror.copied | set(drafted.mirror.where)
