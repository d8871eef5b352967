import base64

import boto3

client = boto3.client("dynamodb")

client.transact_write_items(
    TransactItems=[
        # the `thing` to write
        {
            "Put": {
                "TableName": "things",
                "Item": {
                    "id": {"S": "thing#1"},
                    "a-b": {"S": "x"},
                    "kind": {"S": "thing"},
                    "label": {"B": base64.b64decode("AAECAw==")},
                    "new": {"BOOL": False},
                    "next": {"S": "it's \"2\"\n\\ ${x} {y} é"},
                    "numbers": {"NS": ["1", "2.5"]},
                    "of": {"M": {"no": {"NULL": True}, "size": {"N": "1"}}},
                    "part": {"N": "7"},
                    "some": {"L": [{"S": "a"}, {"BOOL": True}]},
                    "sums": {"BS": [base64.b64decode("/w==")]},
                    "texts": {"SS": ["a", "b"]},
                },
            },
        },
        # thing_part: the `part` exists
        {
            "ConditionCheck": {
                "TableName": "parts",
                "Key": {"digest": {"B": base64.b64decode("AAECAw==")}, "part": {"N": "7"}},
                "ConditionExpression": "attribute_exists(#digest)",
                "ExpressionAttributeNames": {"#digest": "digest"},
            },
        },
        # thing_next: the `thing` exists
        {
            "ConditionCheck": {
                "TableName": "things",
                "Key": {"id": {"S": "thing#it's \"2\"\n\\ ${x} {y} é"}},
                "ConditionExpression": "attribute_exists(#id) AND #kind = :kind AND #of.#size = :size",
                "ExpressionAttributeNames": {
                    "#id": "id",
                    "#kind": "kind",
                    "#of": "of",
                    "#size": "size",
                },
                "ExpressionAttributeValues": {":kind": {"S": "thing"}, ":size": {"N": "1"}},
            },
        },
    ]
)
