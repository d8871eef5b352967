"""Runs scripts of `referee audit --sql` on DuckDB, and parses them in other dialects.

Reads requests as JSON Lines: {"dialect": "duckdb" or another of sqlglot, "script": TEXT}. Answers
each with a line: {"lines": [RESULT...]}, {} for a script that is only parsed, or {"error": TEXT}.
"""

import gc
import json
import sys

import duckdb


def run(connection, script):
    lines = []
    for statement in connection.extract_statements(script):
        result = connection.execute(statement)
        if statement.type == duckdb.StatementType.SELECT:
            lines += [row[0] for row in result.fetchall()]
    return {"lines": lines}


def parse(dialect, script):
    # Imported only here, because it takes longer than many scripts run.
    import sqlglot
    from sqlglot import ErrorLevel, exp

    for statement in sqlglot.parse(script, read=dialect, error_level=ErrorLevel.RAISE):
        # What sqlglot does not understand becomes a command.
        if isinstance(statement, exp.Command):
            raise ValueError(f"not understood: {statement.sql()[:200]}")
    return {}


def main():
    # Syntax trees are large, and searching them for garbage would take a quarter of the time.
    gc.set_threshold(200_000, 50, 50)
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["dialect"] == "duckdb":
                answer = run(connection, request["script"])
            else:
                answer = parse(request["dialect"], request["script"])
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
