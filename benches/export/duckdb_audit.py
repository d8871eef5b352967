"""Runs the script of `referee audit --sql duckdb` on DuckDB, and counts the findings.

    duckdb_audit.py SCRIPT THREADS
"""

import sys

import duckdb

script, threads = sys.argv[1:]
connection = duckdb.connect()
connection.execute(f"SET threads = {int(threads)}")
findings = 0
with open(script) as text:
    for statement in connection.extract_statements(text.read()):
        result = connection.execute(statement)
        if statement.type == duckdb.StatementType.SELECT:
            findings += len(result.fetchall())
print(findings)
