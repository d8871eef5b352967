"""What is given to `infer`: all items, a table with broken references, or a small sample."""

from collections import defaultdict
from random import Random

from design import Design, Item

DELETED = 0.05


def with_broken_references(design: Design, random: Random) -> list[Item]:
    """All items, without 5 % of the referenced items of each kind."""
    entity_of = {item.id: item.entity for item in design.items}
    referenced = defaultdict(set)
    for reference in design.references:
        for targets in reference.sources[0].values():
            for target in targets:
                referenced[entity_of[target]].add(target)
    deleted = set()
    for targets in referenced.values():
        count = max(1, round(len(targets) * DELETED)) if len(targets) >= 10 else 0
        deleted.update(random.sample(sorted(targets), count))
    return [item for item in design.items if item.id not in deleted]


def sample(design: Design, random: Random, count: int = 20) -> list[Item]:
    """A few items of each table."""
    by_table = defaultdict(list)
    for item in design.items:
        by_table[item.id[0]].append(item)
    return [
        item
        for items in by_table.values()
        for item in random.sample(items, min(count, len(items)))
    ]
