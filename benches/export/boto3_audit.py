"""What one would write by hand for the rules of the sample: deserializes every item with boto3, and
looks up the references and mirrors.

    boto3_audit.py FOLDER
"""

import gzip
import json
import sys
from pathlib import Path

from boto3.dynamodb.types import TypeDeserializer

deserialize = TypeDeserializer().deserialize
items = {}
references = []
for path in Path(sys.argv[1]).glob("*.json.gz"):
    with gzip.open(path) as lines:
        for line in lines:
            item = {name: deserialize(value) for name, value in json.loads(line)["Item"].items()}
            pk, sk = item["pk"], item["sk"]
            content = None
            if pk.startswith("customer#") and sk.startswith("order#"):
                references.append((pk, sk, pk, "profile"))
                product = f"product#{item.get('category')}#{item.get('productId')}"
                references.append((pk, sk, product, "details"))
            elif pk.startswith("team#"):
                references.append((pk, sk, sk, "profile"))
                content = item.get("joinedAt"), item.get("role")
            elif sk.startswith("team#"):
                content = item.get("joinedAt"), item.get("role")
            items[pk, sk] = content

dangling = [it for it in references if it[2:] not in items]
differing = [
    (pk, sk)
    for (pk, sk), content in items.items()
    if (pk.startswith("team#") or sk.startswith("team#")) and items.get((sk, pk)) != content
]
print(len(dangling), len(differing))
