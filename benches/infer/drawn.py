"""Schemas of usual applications, with conventions and rows that are drawn at random.

A column is written as in `*id:any`, where `*` marks the key, and a foreign key as `author>user`.
`>>` refers to the owner, `?` may be missing, `[]` is a list and `{}` a set of keys, `lines[].item`
is a field of maps in a list. `(tenant,owner)>user` refers to a key of two columns.
"""

import re
from random import Random

from relational import ForeignKey, Row, Schema, Table
from words import Forms, value

SCHEMAS = {
    "hr": {
        "department 12": "*id:any name:name budget:money",
        "employee 150": "*id:any name:name email:email department>department manager>employee?"
        " grade:small created:date salary:money",
        "project 30": "*id:any title:text lead>employee? priority:small",
        "assignment 400": "*project>project *employee>employee role:status hours:small created:date",
        "leave 200": "*id:any employee>>employee days:small created:date note:text?",
    },
    "ticketing": {
        "customer 80": "*id:any name:name email:email tier:small",
        "agent 15": "*id:any name:name active:flag",
        "label 25": "*id:slug colour:status",
        "ticket 400": "*id:any requester>customer assignee>agent? labels{}>label status:status"
        " created:time priority:small",
        "comment 900": "*id:any ticket>>ticket author>agent? text:text created:time",
    },
    "saas": {
        "tenant 15": "*id:any name:name plan:status",
        "user 150": "*tenant>tenant *id:any email:email name:name created:date",
        "project 90": "*tenant>tenant *id:any (tenant,owner)>user title:text",
        "task 600": "*tenant>tenant *project:(tenant,project)>project *id:any"
        " (tenant,assignee)>user? points:small status:status created:date",
        "invoice 120": "*id:any tenant>>tenant amount:money created:date",
    },
    "social": {
        "user 150": "*id:any name:name email:email created:time",
        "post 400": "*id:any author>user text:text likes:small created:time",
        "reply 700": "*id:any post>>post author>user text:text created:time",
        "follow 500": "*follower>user *followee>user created:time",
        "group 20": "*id:slug title:text founder>user?",
        "membership 300": "*group>group *member>user role:status created:date",
        "settings 120": "*user>user theme:status emails:flag",
    },
    "shop": {
        "customer 120": "*id:any name:name email:email city:word",
        "category 15": "*id:slug title:text parent>category?",
        "product 150": "*id:any title:text price:money category>category stock:small",
        "order 400": "*id:any customer>customer lines[].product>product lines[].quantity:small"
        " total:money status:status created:date",
        "review 300": "*product>product *customer>customer stars:small text:text created:date",
        "coupon 20": "*id:code percent:small",
    },
    "clinic": {
        "doctor 25": "*id:any name:name specialty:status",
        "patient 200": "*id:any name:name email:email? doctor>doctor? born:date",
        "room 20": "*id:padded floor:small",
        "visit 500": "*id:any patient>patient doctor>doctor room>room? created:time",
        "prescription 600": "*id:any visit>>visit drug>drug dose:small created:time",
        "drug 60": "*id:code name:word",
    },
    "library": {
        "author 80": "*id:any name:name born:date",
        "book 200": "*id:isbn title:text authors[]>author pages:number",
        "copy 400": "*book>book *number:serial shelf:small",
        "reader 100": "*id:email name:name created:date",
        "loan 500": "*id:any (book,copy)>copy reader>reader created:date",
    },
    "fleet": {
        "depot 10": "*id:code city:word",
        "driver 60": "*id:any name:name home:word details.depot>depot phone:number",
        "vehicle 50": "*id:padded depot>depot? seats:small",
        "trip 600": "*id:any driver>driver vehicle>vehicle km:number created:time",
        "stop 900": "*trip>trip *number:serial place:word created:time",
        "sensor 100": "*id:uuid vehicle>vehicle kind:status",
        "reading 900": "*sensor>sensor *at:instant value:number",
    },
}

FOREIGN = re.compile(r"(\*?)(?:(\w+):)?(\([\w,]+\)|[\w.\[\]{}]+)(>>?)(\w+)(\??)")
PLAIN = re.compile(r"(\*?)([\w\[\].]+):(\w+)(\??)")


class Names:
    """How columns are named: `user_id`, `userId`, `UserID`, and so on."""

    def __init__(self, random: Random):
        self.suffix = random.choice(["_id", "Id", "Id", "ID", ""])
        self.own_id = random.choice(["id", "id", "table"])
        self.pascal = self.suffix in ("Id", "ID") and random.random() < 0.3

    def column(self, table: str, name: str, refers: bool) -> str:
        """The name of a column. `id` may become `userId`, and `author`, which refers, `authorId`."""
        head, dot, tail = name.rpartition(".")
        many = re.search(r"\[\]|\{\}", tail)
        tail = re.sub(r"\[\]|\{\}", "", tail)
        if tail == "id" and self.own_id == "table":
            tail, refers = table, True
        if refers and self.suffix:
            tail = (tail.removesuffix("s") if many else tail) + self.suffix + ("s" if many else "")
        if self.pascal:
            tail = tail[0].upper() + tail[1:]
        return head.replace("[]", "[*]") + dot + tail + ("[*]" if many else "")


class Drawn:
    """A schema with random conventions and rows."""

    def __init__(self, name: str, random: Random, size: float = 1.0):
        self.random = random
        self.names = Names(random)
        self.forms = Forms(random)
        self.schema = Schema(name)
        self.definitions = {
            header.split()[0]: (max(3, int(int(header.split()[1]) * size)), text.split())
            for header, text in SCHEMAS[name].items()
        }
        for table in self.definitions:
            self._declare(table)
        for table in self.definitions:
            self._fill(table)

    def _declare(self, name: str) -> None:
        """Creates the table, without rows."""
        key, foreign_keys = [], []
        for column in self.definitions[name][1]:
            if match := FOREIGN.fullmatch(column):
                star, alias, columns, arrow, target, _ = match.groups()
                parts = [
                    self.names.column(name, part, True) for part in columns.strip("()").split(",")
                ]
                foreign_keys.append(ForeignKey(tuple(parts), target, arrow == ">>"))
                if star:
                    key.append(self.names.column(name, alias, True) if alias else parts[0])
            elif match := PLAIN.fullmatch(column):
                if match[1]:
                    key.append(self.names.column(name, match[2], False))
        self.schema.add(Table(name, tuple(key), foreign_keys, []))

    def _fill(self, name: str) -> None:
        """Adds rows. Referenced tables come first; a table may refer to its own earlier rows."""
        table = self.schema.tables[name]
        for key in table.foreign_keys:
            if key.target != name and not self.schema.tables[key.target].rows:
                self._fill(key.target)
        if table.rows:
            return
        count, columns = self.definitions[name]
        keys = set()
        for number in range(1, count + 1):
            row = self._row(table, number, columns)
            if row is not None and (key := table.key_of(row)) not in keys:
                keys.add(key)
                table.rows.append(row)

    def _row(self, table: Table, number: int, columns: list[str]) -> Row | None:
        """A row, or nothing if it must refer to a table that has no row to refer to."""
        row: Row = {}
        for column in columns:
            if match := FOREIGN.fullmatch(column):
                if not self._refer(table, row, match):
                    return None
            elif match := PLAIN.fullmatch(column):
                _, name, form, optional = match.groups()
                if optional and self.random.random() < 0.3:
                    continue
                path = self.names.column(table.name, name, False)
                if "[*]" in path:
                    self._each(row, path, lambda: value(form, self.random))
                elif form == "serial":
                    row[path] = 1 + sum(
                        1 for it in table.rows if it[table.key[0]] == row[table.key[0]]
                    )
                else:
                    row[path] = self.forms.draw(table.name, form, number)
        return row

    def _refer(self, table: Table, row: Row, match: re.Match) -> bool:
        _, _, columns, _, target, optional = match.groups()
        paths = [self.names.column(table.name, it, True) for it in columns.strip("()").split(",")]
        rows = self.schema.tables[target].rows
        known = {path: row[path] for path in paths if path in row}
        key = self.schema.tables[target].key
        fitting = [
            it
            for it in rows
            if all(it[column] == known[path] for path, column in zip(paths, key) if path in known)
        ]
        if optional and (not fitting or self.random.random() < 0.25):
            return True
        if not fitting:
            return False
        path = paths[-1]
        if "[*]" in path:
            self._refer_to_many(row, path, key[0], fitting, is_set="{}" in columns)
            return True
        chosen = self._choose(fitting)
        for path, column in zip(paths, key):
            _put(row, path, chosen[column])
        return True

    def _refer_to_many(self, row: Row, path: str, column: str, rows: list[Row], is_set: bool) -> None:
        chosen = self.random.sample(rows, min(len(rows), self.random.randint(0, 3)))
        found = [it[column] for it in chosen]
        if path.endswith("[*]"):
            if found:
                row[path.removesuffix("[*]")] = set(found) if is_set else found
            return
        name, _, inner = path.partition("[*].")
        row[name] = [{inner: value} for value in found]

    def _each(self, row: Row, path: str, draw) -> None:
        name, _, inner = path.partition("[*].")
        for element in row.get(name, []):
            element[inner] = draw()

    def _choose(self, rows: list[Row]) -> Row:
        """A row. Some rows are referred to more often than others."""
        return rows[min(int(self.random.paretovariate(0.6)) - 1, len(rows) - 1)] if (
            self.random.random() < 0.3
        ) else self.random.choice(rows)


def _put(row: Row, path: str, value) -> None:
    *maps, name = path.split(".")
    for step in maps:
        row = row.setdefault(step, {})
    row[name] = value


def drawn(name: str, seed: int) -> Schema:
    """A schema with random conventions. `seed` is added to its name."""
    schema = Drawn(name, Random(f"{name} {seed}")).schema
    schema.name = f"{name}-{seed}"
    return schema
