import { DynamoDBClient, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";

const client = new DynamoDBClient({});

await client.send(
  new TransactWriteItemsCommand({
    TransactItems: [
      // the `thing` to write
      {
        Put: {
          TableName: "things",
          Item: {
            id: { S: "thing#1" },
            "a-b": { S: "x" },
            kind: { S: "thing" },
            label: { B: Buffer.from("AAECAw==", "base64") },
            new: { BOOL: false },
            next: { S: "it's \"2\"\n\\ ${x} {y} é" },
            numbers: { NS: ["1", "2.5"] },
            of: { M: { no: { NULL: true }, size: { N: "1" } } },
            part: { N: "7" },
            some: { L: [{ S: "a" }, { BOOL: true }] },
            sums: { BS: [Buffer.from("/w==", "base64")] },
            texts: { SS: ["a", "b"] },
          },
        },
      },
      // thing_part: the `part` exists
      {
        ConditionCheck: {
          TableName: "parts",
          Key: { digest: { B: Buffer.from("AAECAw==", "base64") }, part: { N: "7" } },
          ConditionExpression: "attribute_exists(#digest)",
          ExpressionAttributeNames: { "#digest": "digest" },
        },
      },
      // thing_next: the `thing` exists
      {
        ConditionCheck: {
          TableName: "things",
          Key: { id: { S: "thing#it's \"2\"\n\\ ${x} {y} é" } },
          ConditionExpression: "attribute_exists(#id) AND #kind = :kind AND #of.#size = :size",
          ExpressionAttributeNames: { "#id": "id", "#kind": "kind", "#of": "of", "#size": "size" },
          ExpressionAttributeValues: { ":kind": { S: "thing" }, ":size": { N: "1" } },
        },
      },
    ],
  }),
);
