"""Measures how much of the rules of known data sets `referee infer` finds, and how fast it is.

    python benches/infer --referee FILE --data FOLDER [--only NAME] [--problems] [--keep FOLDER]

Each relational schema with known foreign keys is loaded as several DynamoDB tables, as one table,
and as one table in which mirrors copy the rows of linking tables. A draft is made of all items, of a
table in which 5 % of the referenced items are deleted, and of 20 items of each table.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import rules
import tool
from damage import sample, with_broken_references
from design import Design, Item
from drawn import SCHEMAS, drawn
from multi import multi_table
from relational import Schema, nested
from score import Score, score
from single import single_table
from sources import chinook, tpch

HEADER = (
    f"{'':33}{'all items':^38}{'5 % deleted':^21}{'20 items':^21}\n"
    f"{'data set':26}{'items':>7}"
    f"{'recall':>8}{'precision':>10}{'templates':>11}{'mirrors':>9}"
    + f"{'recall':>11}{'precision':>10}" * 2
)


def main() -> None:
    options = _options()
    if options.export:
        _measure(options)
    _compare(options)


def _measure(options: argparse.Namespace) -> None:
    """Prints the cost of a draft from the export that `make sample-export` writes."""
    [export] = options.export.glob("*/AWSDynamoDB/*/")
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "referee.yaml"
        command = [options.referee, "infer", export, "--out", out]
        cost = tool.run(command, Path(temporary) / "messages.txt")
    print(
        f"an export of 1,000,000 items: {cost.elapsed_s:.1f} s, "
        f"{cost.processor_s:.1f} s of processor time, {cost.peak_mb:.0f} MB\n"
    )


def _compare(options: argparse.Namespace) -> None:
    """Prints a line for each data set, and the totals."""
    home = Path(__file__).resolve().parents[2]
    totals: dict[str, list[Score]] = {}
    print(HEADER, flush=True)
    for schema in _schemas(options, home):
        for design in _designs(schema):
            scores = _scores(design, options)
            _print(design.name, str(len(design.items)), scores)
            kind = design.name.split()[1]
            for name in (kind, "all"):
                known = totals.get(name, [Score()] * len(scores))
                totals[name] = [one + other for one, other in zip(known, scores)]
            if options.problems:
                _print_problems(scores)
    print()
    for name, scores in totals.items():
        _print(f"total {name}", "", scores)
    unusable = sum(it.unusable for it in totals["all"])
    print(f"\ndrafts that do not pass `referee check`: {unusable}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--referee", required=True, type=Path, help="the program to measure")
    parser.add_argument("--data", required=True, type=Path, help="where the data sets are installed")
    parser.add_argument("--export", type=Path, help="what `make sample-export` has written")
    parser.add_argument("--only", default="", help="only the data sets whose name contains this")
    parser.add_argument("--draws", default=2, type=int, help="how often each schema is drawn")
    parser.add_argument("--first", default=0, type=int, help="the seed of the first draw")
    parser.add_argument("--problems", action="store_true", help="print what differs")
    parser.add_argument("--keep", type=Path, help="keep the items and drafts in this folder")
    return parser.parse_args()


def _schemas(options: argparse.Namespace, home: Path) -> Iterator[Schema]:
    if not options.only or "tpch" in options.only:
        schema = tpch(home / "target/infer-bench/tpch")
        yield schema
        yield _renamed(nested(schema, "orders", "customer"))
    if not options.only or "chinook" in options.only:
        schema = chinook(options.data / "chinook")
        yield schema
        yield _renamed(nested(nested(schema, "Album", "Artist"), "Invoice", "Customer"))
    for name in SCHEMAS:
        for seed in range(options.first, options.first + options.draws):
            if options.only in f"{name}-{seed}":
                yield drawn(name, seed)


def _renamed(schema: Schema) -> Schema:
    schema.name += "-nested"
    return schema


def _designs(schema: Schema) -> Iterator[Design]:
    yield multi_table(schema, Random(f"{schema.name} multi"))
    yield single_table(schema, Random(f"{schema.name} single"))
    mirrored = single_table(schema, Random(f"{schema.name} mirrors"), mirrors=True)
    if mirrored.mirrors:
        yield mirrored


def _scores(design: Design, options: argparse.Namespace) -> list[Score]:
    random = Random(design.name)
    given = [
        ("all", design.items),
        ("deleted", with_broken_references(design, random)),
        ("sample", sample(design, random)),
    ]
    return [_score(design, name, items, options) for name, items in given]


def _score(design: Design, name: str, items: list[Item], options: argparse.Namespace) -> Score:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.keep:
            folder = options.keep / design.name.replace(" ", "-") / name
            folder.mkdir(parents=True, exist_ok=True)
            design.write_truth(folder / "truth.json")
        design.write_dump(folder / "items.json", items)
        result = score(design, rules.read(tool.draft(options.referee, design, folder)))
        if error := tool.check(options.referee, folder):
            result.unusable += 1
            result.problems.append(error)
        return result


def _print(name: str, items: str, scores: list[Score]) -> None:
    whole, deleted, sampled = scores
    print(
        f"{name:26}{items:>7}{whole.recall:8.2f}{whole.precision:10.2f}"
        f"{f'{whole.exact}/{whole.entities}':>11}{f'{whole.mirrored}/{whole.mirrors}':>9}"
        f"{deleted.recall:11.2f}{deleted.precision:10.2f}"
        f"{sampled.recall:11.2f}{sampled.precision:10.2f}",
        flush=True,
    )


def _print_problems(scores: list[Score]) -> None:
    for name, it in zip(("all items", "5 % deleted", "20 items"), scores):
        for problem in it.problems:
            if name != "20 items" or not problem.startswith(("missing", "entity")):
                print(f"    {name}: {problem}")


if __name__ == "__main__":
    main()
