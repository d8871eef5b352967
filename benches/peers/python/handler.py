"""The peer that Referee is compared with: the rules of events/company-user, implemented by hand with
boto3 and Powertools' batch processor. All records of a batch are processed together, with concurrent
writes, and reads of 100 items each. The batch processor then reports to Lambda which records
failed."""

import json
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from botocore.config import Config

RULE = "membership"
COPIED = ("joinedAt", "role")
LOWEST_FENCE = "0" * 40
CONCURRENCY = 16
BATCH_GET_KEYS_MAX = 100
ATTEMPTS_MAX = 8
# A possible violation is checked again when its record is this old. DynamoDB rounds the creation
# time of a record down to the second.
GRACE_SECONDS = 2
CREATION_RESOLUTION_SECONDS = 1

client = boto3.client(
    "dynamodb",
    config=Config(
        max_pool_connections=CONCURRENCY,
        retries={"mode": "standard", "max_attempts": 5},
        tcp_keepalive=True,
    ),
)
pool = ThreadPoolExecutor(CONCURRENCY)
processor = BatchProcessor(EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)

COMPANY = re.compile(r"company#[^#]+")
USER = re.compile(r"user#[^#]+")


def handler(event, context):
    batch = Batch(event["Records"])
    batch.write_mirrors()
    batch.look()
    batch.confirm()
    batch.report(len(event["Records"]))

    def raise_if_failed(record):
        if error := batch.failed.get(record.dynamodb.sequence_number):
            raise error

    return process_partial_response(event, raise_if_failed, processor, context)


def kind_of(key):
    """Returns the entity of an item, which its key determines."""
    pk, sk = key["pk"]["S"], key["sk"]["S"]
    if COMPANY.fullmatch(pk):
        if sk == "company#":
            return "company"
        if USER.fullmatch(sk):
            return "member"
    elif USER.fullmatch(pk):
        if sk == "user#":
            return "user"
        if COMPANY.fullmatch(sk):
            return "mirror"
    return None


class Change:
    """A change of an item, from its state before the batch to its state after the batch."""

    __slots__ = ("key", "before", "after", "sequence", "first", "created")

    def __init__(self, stream):
        self.key = {"pk": stream["Keys"]["pk"], "sk": stream["Keys"]["sk"]}
        self.before = stream.get("OldImage")
        self.first = stream["SequenceNumber"]
        self.follow(stream)

    def follow(self, stream):
        self.after = stream.get("NewImage")
        self.sequence = stream["SequenceNumber"].zfill(40)
        self.created = stream["ApproximateCreationDateTime"]


def coalesce(records):
    """Combines the records of the batch into one change for each item."""
    changes = {}
    for record in records:
        try:
            stream = record["dynamodb"]
            name = name_of(stream["Keys"])
            known = changes.get(name)
            if known is None:
                changes[name] = Change(stream)
            elif stream["SequenceNumber"].zfill(40) > known.sequence:
                known.follow(stream)
        except (KeyError, TypeError):
            log("ERROR", message="a record cannot be understood", record=record)
    return changes.values()


class Batch:
    def __init__(self, records):
        self.table = records[0]["eventSourceARN"].split("/")[1] if records else None
        self.members, self.mirrors, self.claims, self.departures = [], [], [], []
        # Possible violations: references, mirrors, and deleted targets.
        self.dangling, self.astray, self.departed = [], [], []
        self.violations, self.failed = [], {}
        self.writes = 0
        for change in coalesce(records):
            self.sort(change)

    def sort(self, change):
        """Adds a change to the lists for the work that it requires."""
        kind = kind_of(change.key)
        if kind == "member":
            if not is_unchanged(change.before, change.after):
                self.members.append(change)
            if change.before is None and change.after is not None:
                pk, sk = change.key["pk"], change.key["sk"]
                company = {"pk": pk, "sk": {"S": "company#"}}
                user = {"pk": sk, "sk": {"S": "user#"}}
                self.claims.append((change, "member_company", company))
                self.claims.append((change, "member_user", user))
        elif kind == "mirror":
            self.mirrors.append(change)
        elif kind and change.before is not None and change.after is None:
            self.departures.append(change)

    def write_mirrors(self):
        """Writes the mirrors of changed memberships, with the content of the records."""

        def write(change):
            key = other_half(change.key)
            guard = {
                "ConditionExpression": "attribute_not_exists(pk) OR "
                "(#mark.#rule = :rule AND #mark.fence < :fence)",
                "ExpressionAttributeNames": {"#mark": "_referee", "#rule": "rule"},
                "ExpressionAttributeValues": {
                    ":rule": {"S": RULE},
                    ":fence": {"S": change.sequence},
                },
            }
            if change.after is None:
                self.delete(key, guard)
                return
            content = {**mirror_of(key, change.after), "_referee": mark(change.sequence)}
            current = self.put(content, guard)
            # If the mirror has another fence, it reflects this change or a newer one. An item
            # without a mark is foreign.
            if current and mark_of(current) is None:
                self.violate(RULE, "mirror_blocked", change.key)

        self.each(self.members, write)

    def look(self):
        """Reads the items that the changes refer to, corrects outdated mirrors, and collects suspects."""
        wanted = [target for _, _, target in self.claims]
        wanted += [other_half(change.key) for change in self.mirrors]
        found = self.read(wanted, ("pk", "sk", *COPIED))

        for change, rule, target in self.claims:
            self.settle(change, found, target)
            if found.get(name_of(target), True) is None:
                self.dangling.append((change, rule, target))

        outdated = []
        for change in self.mirrors:
            if not self.settle(change, found, other_half(change.key)):
                continue
            source = found[name_of(other_half(change.key))]
            if is_mirror(change.key, change.after, source):
                continue
            # Only this function's own writes change the mark, and they are corrected at once.
            seen = mark_of(change.after)
            if seen and seen != mark_of(change.before):
                outdated.append((change, source, seen))
            else:
                self.astray.append(change)
        self.each(outdated, lambda one: self.correct(*one))

        def probe(change):
            if self.referring(change.key):
                self.departed.append(change)

        self.in_turn(self.departures, probe)

    def confirm(self):
        """Checks suspects again after the grace period, reports violations and repairs them."""
        suspects = [change for change, _, _ in self.dangling] + self.astray + self.departed
        if not suspects:
            return
        now = time.time()
        newest = max(min(change.created, now) for change in suspects)
        due = newest + CREATION_RESOLUTION_SECONDS + GRACE_SECONDS
        time.sleep(max(0, due - now))

        wanted = [change.key for change in suspects]
        wanted += [target for _, _, target in self.dangling]
        wanted += [other_half(change.key) for change in self.astray]
        found = self.read(wanted)

        for change, rule, target in self.dangling:
            if self.settle(change, found, change.key, target):
                if found[name_of(change.key)] and not found[name_of(target)]:
                    self.violate(rule, "dangling_reference", change.key)

        def repair(change):
            source = other_half(change.key)
            if self.settle(change, found, change.key, source):
                self.repair(change, found[name_of(change.key)], found[name_of(source)])

        def orphaned(change):
            if self.settle(change, found, change.key) and not found[name_of(change.key)]:
                if left := self.referring(change.key):
                    rule = "member_user" if kind_of(change.key) == "user" else "member_company"
                    self.violate(rule, "orphaned", left[0])

        self.each(self.astray, repair)
        self.in_turn(self.departed, orphaned)

    def repair(self, change, mirror, source):
        """Repairs a mirror that another writer changed."""
        if is_mirror(change.key, mirror, source):
            return
        seen = mark_of(mirror)
        if mirror and seen is None:
            self.violate(RULE, "mirror_blocked" if source else "mirror_extra", change.key)
        elif mirror:
            if self.correct(change, source, seen) is None:
                self.violate(RULE, "mirror_stale" if source else "mirror_extra", change.key)
        else:
            before = mark_of(change.before)
            fence = before["fence"]["S"] if before else LOWEST_FENCE
            content = {**mirror_of(change.key, source), "_referee": mark(fence)}
            if self.put(content, {"ConditionExpression": "attribute_not_exists(pk)"}) is None:
                self.violate(RULE, "mirror_missing", change.key)

    def correct(self, change, source, seen):
        """Writes a mirror from its source, if the mirror has not changed since it was read."""
        guard = {
            "ConditionExpression": "#mark.#rule = :rule AND #mark.fence = :fence",
            "ExpressionAttributeNames": {"#mark": "_referee", "#rule": "rule"},
            "ExpressionAttributeValues": {":rule": {"S": RULE}, ":fence": seen["fence"]},
        }
        if source is None:
            return self.delete(change.key, guard)
        return self.put({**mirror_of(change.key, source), "_referee": {"M": seen}}, guard)

    def put(self, item, guard):
        return self.write(client.put_item, {"Item": item, **guard})

    def delete(self, key, guard):
        return self.write(client.delete_item, {"Key": key, **guard})

    def write(self, operation, request):
        """Makes a conditional write. Returns the current item, which may be empty, if it is refused."""
        try:
            operation(
                TableName=self.table,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **request,
            )
        except client.exceptions.ConditionalCheckFailedException as error:
            return error.response.get("Item", {})
        self.writes += 1
        return None

    def read(self, keys, attributes=None):
        """Reads items with strong consistency. The result maps each name to its item, or to None if the
        item does not exist. It has no entry for an item that could not be read."""
        distinct = list({name_of(key): key for key in keys}.values())
        projection = {}
        if attributes:
            projection = {
                "ProjectionExpression": ",".join(f"#{place}" for place in range(len(attributes))),
                "ExpressionAttributeNames": {f"#{n}": name for n, name in enumerate(attributes)},
            }
        found = {}

        def read(pending):
            for attempt in range(ATTEMPTS_MAX):
                if attempt > 0:
                    time.sleep(random.random() * 0.025 * 2**attempt)
                request = {"Keys": pending, "ConsistentRead": True, **projection}
                output = client.batch_get_item(RequestItems={self.table: request})
                items = {name_of(item): item for item in output["Responses"][self.table]}
                left = output.get("UnprocessedKeys", {}).get(self.table, {}).get("Keys", [])
                unread = {name_of(key) for key in left}
                names = (name_of(key) for key in pending)
                found.update({name: items.get(name) for name in names if name not in unread})
                if not left:
                    return
                pending = left

        starts = range(0, len(distinct), BATCH_GET_KEYS_MAX)
        chunks = [distinct[start : start + BATCH_GET_KEYS_MAX] for start in starts]
        for future in [pool.submit(read, chunk) for chunk in chunks]:
            if error := future.exception():
                log("WARN", message="items could not be read", error=str(error))
        return found

    def settle(self, change, found, *keys):
        """Whether all items with these keys were read. If not, the change is redelivered."""
        if all(name_of(key) in found for key in keys):
            return True
        self.failed[change.first] = RuntimeError("an item could not be read")
        return False

    def referring(self, key):
        """Returns the memberships that still refer to a deleted company or user."""
        is_user = kind_of(key) == "user"
        pages = client.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ProjectionExpression="pk, sk",
            ExpressionAttributeValues={
                ":pk": key["pk"],
                ":prefix": {"S": "company#" if is_user else "user#"},
            },
        )
        wanted = "mirror" if is_user else "member"
        keys = [item for page in pages for item in page["Items"] if kind_of(item) == wanted]
        if not is_user:
            return keys
        # A mirror only suggests that its source exists.
        sources = [other_half(key) for key in keys]
        found = self.read(sources, ("pk", "sk"))
        return [source for source in sources if found.get(name_of(source))]

    def violate(self, rule, kind, key):
        self.violations.append({"rule": rule, "kind": kind, "key": key})

    def each(self, all_of_them, task):
        """Calls a function for all values, several at a time. Changes for which it fails are redelivered."""
        futures = [(one, pool.submit(task, one)) for one in all_of_them]
        for one, future in futures:
            if error := future.exception():
                self.fail(one if isinstance(one, Change) else one[0], error)

    def in_turn(self, changes, task):
        """Like `each`, but one after the other, for the rare tasks that use the pool themselves."""
        for change in changes:
            try:
                task(change)
            except Exception as error:
                self.fail(change, error)

    def fail(self, change, error):
        log("WARN", message="to be delivered again", key=change.key, error=str(error))
        self.failed[change.first] = error

    def report(self, records):
        """Prints a line for each violation, and a line of metrics in the embedded metric format."""
        for violation in self.violations:
            log("WARN", violation=violation)
        names = ("RecordsProcessed", "MirrorWrites", "Violations")
        metrics = [{"Name": name, "Unit": "Count"} for name in names]
        directive = {"Namespace": "Referee", "Dimensions": [[]], "Metrics": metrics}
        line = {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
            "RecordsProcessed": records,
            "MirrorWrites": self.writes,
            "Violations": len(self.violations),
        }
        print(json.dumps(line), flush=True)


def name_of(key):
    return f"{key['pk']['S']}\n{key['sk']['S']}"


def other_half(key):
    return {"pk": key["sk"], "sk": key["pk"]}


def mark(fence):
    return {"M": {"rule": {"S": RULE}, "fence": {"S": fence}}}


def mark_of(item):
    """Returns the item's mark, if this rule wrote it as a mirror."""
    found = (item or {}).get("_referee", {}).get("M", {})
    ours = found.get("rule", {}).get("S") == RULE and "S" in found.get("fence", {})
    return found if ours else None


def mirror_of(key, source):
    copied = {name: source[name] for name in COPIED if name in source}
    return {"pk": key["pk"], "sk": key["sk"], **copied}


def is_mirror(key, found, source):
    """Whether the item at a mirror's key matches its source. Both may be absent."""
    if not found or not source:
        return not found and not source
    content = {name: value for name, value in found.items() if name != "_referee"}
    return mark_of(found) is not None and content == mirror_of(key, source)


def is_unchanged(before, after):
    if before is None or after is None:
        return before is None and after is None
    return all(before.get(name) == after.get(name) for name in COPIED)


def log(level, **fields):
    print(json.dumps({"level": level, **fields}), flush=True)
