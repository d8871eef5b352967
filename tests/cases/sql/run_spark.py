"""Runs scripts of `referee audit --sql spark` on Spark: the requests and answers of run.py."""

import json
import sys

from pyspark.sql import SparkSession


def main():
    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    for line in sys.stdin:
        request = json.loads(line)
        lines = []
        try:
            for statement in filter(str.strip, request["script"].split(";\n")):
                lines += [row[0] for row in session.sql(statement).collect()]
            answer = {"lines": lines}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
