"""Checks the scorer with rule files that are written by hand. `run.sh` runs it first."""

import unittest

import rules
from design import Design, Entity, Item, Mirror, Reference
from score import Score, score

TEAMS, USERS = ("t1", "t2"), ("u1", "u2", "u3")
MEMBERS = [("t1", "u1"), ("t1", "u2"), ("t2", "u2")]


def item(entity: str, pk: str, sk: str, **attributes) -> Item:
    return Item(("app", pk, sk), entity, {"pk": pk, "sk": sk} | attributes)


def design() -> Design:
    """Teams with users as members, whose memberships are mirrored, and users with a manager."""
    result = Design("teams", {"app": ["pk", "sk"]})
    result.entities = {
        "team": Entity("app", {"pk": "TEAM#{id}", "sk": "TEAM#{id}"}),
        "user": Entity("app", {"pk": "USER#{id}", "sk": "profile"}),
        "member": Entity("app", {"pk": "TEAM#{team}", "sk": "USER#{user}"}),
        "member_of": Entity("app", {"pk": "USER#{user}", "sk": "TEAM#{team}"}),
    }
    result.items = [item("team", f"TEAM#{it}", f"TEAM#{it}") for it in TEAMS]
    result.items += [item("user", f"USER#{it}", "profile", manager="u1") for it in USERS]
    members = [item("member", f"TEAM#{t}", f"USER#{u}", role="lead") for t, u in MEMBERS]
    mirrors = [item("member_of", f"USER#{u}", f"TEAM#{t}", role="lead") for t, u in MEMBERS]
    result.items += members + mirrors

    def links(to) -> list:
        return [
            {it.id: frozenset([to(*names)]) for it, names in zip(side, MEMBERS)}
            for side in (members, mirrors)
        ]

    user = {f"USER#{it}": ("app", f"USER#{it}", "profile") for it in USERS}
    managed = {id: frozenset([user["USER#u1"]]) for id in user.values()}
    result.references = [
        Reference("team", links(lambda team, _: ("app", f"TEAM#{team}", f"TEAM#{team}"))),
        Reference("user", links(lambda _, name: user[f"USER#{name}"])),
        Reference("manager", [managed]),
    ]
    pairs = {one.id: other.id for one, other in zip(members, mirrors)}
    result.mirrors = [Mirror("members", pairs, frozenset(["role"]))]
    return result


RIGHT = """
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  group: { table: app, key: { pk: "TEAM#{group}", sk: "TEAM#{group}" } }
  person: { table: app, key: { pk: "USER#{name}", sk: profile }, attributes: { manager: S } }
  member: { table: app, key: { pk: "TEAM#{group}", sk: "USER#{name}" } }
  member_of: { table: app, key: { pk: "USER#{name}", sk: "TEAM#{group}" } }
references:
  member_group: { from: member, to: group }
  member_person: { from: member_of, to: person }
  manager: { from: person, to: person, on: { name: "{manager}" } }
mirrors:
  members: { source: member_of, mirror: member, copy: [role] }
"""


def scored(draft: str) -> Score:
    return score(design(), rules.read(draft))


class Scorer(unittest.TestCase):
    def test_a_right_draft_has_no_problems(self) -> None:
        result = scored(RIGHT)
        self.assertEqual(result.problems, [])
        self.assertEqual((result.recall, result.precision), (1.0, 1.0))
        self.assertEqual((result.exact, result.entities), (4, 4))
        self.assertEqual((result.mirrored, result.copied, result.mirrors), (1, 1, 1))

    def test_a_missing_reference_lowers_the_recall(self) -> None:
        result = scored(RIGHT.replace("  member_person: { from: member_of, to: person }\n", ""))
        self.assertEqual((result.found, result.references, result.precision), (2, 3, 1.0))

    def test_a_reference_to_other_items_lowers_the_precision(self) -> None:
        result = scored(RIGHT.replace('on: { name: "{manager}" }', "find: none"))
        self.assertEqual((result.found, result.right, result.drafted), (2, 2, 3))

    def test_a_reference_that_follows_from_others_is_not_counted(self) -> None:
        more = '  above: { from: member, to: person, on: { name: "{boss}" } }\n'
        with_boss = RIGHT.replace("mirrors:\n", more + "mirrors:\n")
        followed = design()
        for it in followed.items:
            if it.entity == "member":
                it.attributes["boss"] = "u1"
        result = score(followed, rules.read(with_boss))
        self.assertEqual((result.implied, result.precision), (1, 1.0))

    def test_a_template_with_another_literal_is_not_exact(self) -> None:
        result = scored(RIGHT.replace("sk: profile", 'sk: "{rest}"'))
        self.assertEqual(result.exact, 3)

    def test_a_mirror_that_copies_too_little_is_only_half_right(self) -> None:
        result = scored(RIGHT.replace("copy: [role]", "copy: none"))
        self.assertEqual((result.mirrored, result.copied), (1, 0))


if __name__ == "__main__":
    unittest.main()
