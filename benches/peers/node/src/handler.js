// The peer that Referee is compared with: the rules of events/company-user, implemented by hand with
// the AWS SDK. All records of a batch are processed together, with concurrent writes, and reads of
// 100 items each.

import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';

const RULE = 'membership';
const COPIED = ['joinedAt', 'role'];
const LOWEST_FENCE = '0'.repeat(40);
const CONCURRENCY = 16;
const BATCH_GET_KEYS_MAX = 100;
const ATTEMPTS_MAX = 8;
// A possible violation is checked again when its record is this old. DynamoDB rounds the creation
// time of a record down to the second.
const GRACE_MS = 2_000;
const CREATION_RESOLUTION_MS = 1_000;

const client = new DynamoDBClient({ maxAttempts: 5 });

const COMPANY = /^company#([^#]+)$/;
const USER = /^user#([^#]+)$/;

/** Returns the entity of an item, which its key determines. */
function kindOf({ pk, sk }) {
  if (COMPANY.test(pk.S)) {
    if (sk.S === 'company#') return 'company';
    if (USER.test(sk.S)) return 'member';
  } else if (USER.test(pk.S)) {
    if (sk.S === 'user#') return 'user';
    if (COMPANY.test(sk.S)) return 'mirror';
  }
  return undefined;
}

export async function handler(event) {
  const batch = new Batch(event.Records[0]?.eventSourceARN.split('/')[1]);
  for (const change of coalesce(event.Records)) batch.sort(change);
  await batch.writeMirrors();
  await batch.look();
  await batch.confirm();
  report(event.Records.length, batch);
  return { batchItemFailures: batch.failures(event.Records) };
}

/** Combines the records into one change for each item, from its state before to after the batch. */
function coalesce(records) {
  const changes = new Map();
  for (const record of records) {
    const stream = record.dynamodb;
    if (!stream?.Keys?.pk?.S || !stream.Keys.sk?.S || !stream.SequenceNumber) {
      log('ERROR', { message: 'a record cannot be understood', record });
      continue;
    }
    const name = nameOf(stream.Keys);
    const sequence = stream.SequenceNumber.padStart(40, '0');
    const known = changes.get(name);
    if (!known) {
      changes.set(name, {
        key: { pk: stream.Keys.pk, sk: stream.Keys.sk },
        before: stream.OldImage,
        after: stream.NewImage,
        sequence,
        first: stream.SequenceNumber,
        createdMs: stream.ApproximateCreationDateTime * 1000,
      });
    } else if (sequence > known.sequence) {
      known.after = stream.NewImage;
      known.sequence = sequence;
      known.createdMs = stream.ApproximateCreationDateTime * 1000;
    }
  }
  return changes.values();
}

class Batch {
  constructor(table) {
    this.table = table;
    this.members = [];
    this.mirrors = [];
    this.claims = [];
    this.departures = [];
    this.suspects = [];
    this.violations = [];
    this.failed = new Set();
    this.writes = 0;
  }

  /** Adds a change to the lists for the work that it requires. */
  sort(change) {
    const { before, after } = change;
    switch (kindOf(change.key)) {
      case 'member':
        if (!isUnchanged(before, after)) this.members.push(change);
        if (!before && after) this.claims.push(...claimsOf(change));
        break;
      case 'mirror':
        this.mirrors.push(change);
        break;
      case 'company':
      case 'user':
        if (before && !after) this.departures.push(change);
        break;
    }
  }

  /** Writes the mirrors of changed memberships, with the content of the records. */
  async writeMirrors() {
    await this.each(this.members, async (change) => {
      const key = otherHalf(change.key);
      const guard = {
        ConditionExpression:
          'attribute_not_exists(pk) OR (#mark.#rule = :rule AND #mark.fence < :fence)',
        ExpressionAttributeNames: { '#mark': '_referee', '#rule': 'rule' },
        ExpressionAttributeValues: { ':rule': { S: RULE }, ':fence': { S: change.sequence } },
      };
      const current = change.after
        ? await this.put({ ...mirrorOf(key, change.after), _referee: mark(change.sequence) }, guard)
        : await this.delete(key, guard);
      // If the mirror has another fence, it reflects this change or a newer one. An item without a
      // mark is foreign.
      if (change.after && current && !markOf(current)) {
        this.violate(RULE, 'mirror_blocked', change.key);
      }
    });
  }

  /** Reads the items that the changes refer to, corrects outdated mirrors, and collects suspects. */
  async look() {
    const sources = this.mirrors.map((change) => otherHalf(change.key));
    const wanted = [...this.claims.map((claim) => claim.target), ...sources];
    const found = await this.read(wanted, ['pk', 'sk', ...COPIED]);
    this.suspects.push(...this.claims.filter(({ target }) => found(target) === null));

    const outdated = [];
    for (const change of this.mirrors) {
      const source = found(otherHalf(change.key));
      if (source === undefined) {
        this.failed.add(change.first);
      } else if (!isMirror(change.key, change.after, source)) {
        // Only this function's own writes change the mark, and they are corrected at once.
        const seen = markOf(change.after);
        const ours = seen && !isDeepStrictEqual(seen, markOf(change.before));
        if (ours) outdated.push({ change, source, seen });
        else this.suspects.push({ rule: RULE, change });
      }
    }
    await this.each(outdated, ({ seen, source, change }) => this.correct(change, source, seen));
    await this.each(this.departures, async (change) => {
      if ((await this.referring(change)).length > 0) this.suspects.push({ departed: true, change });
    });
  }

  /** Checks suspects again after the grace period, reports the violations, and repairs them. */
  async confirm() {
    if (this.suspects.length === 0) return;
    const now = Date.now();
    const due = this.suspects.map(({ change }) => Math.min(change.createdMs, now));
    await sleep(Math.max(...due) + CREATION_RESOLUTION_MS + GRACE_MS - now);

    const wanted = this.suspects.flatMap(({ change, target, rule }) => [
      change.key,
      ...(target ? [target] : []),
      ...(rule === RULE ? [otherHalf(change.key)] : []),
    ]);
    const found = await this.read(wanted);
    await this.each(this.suspects, async ({ change, target, rule, departed }) => {
      const item = found(change.key);
      const other = found(target ?? otherHalf(change.key));
      if (item === undefined || (!departed && other === undefined)) {
        this.failed.add(change.first);
      } else if (target) {
        if (item && !other) this.violate(rule, 'dangling_reference', change.key);
      } else if (departed) {
        const left = item ? [] : await this.referring(change);
        if (left.length > 0) this.violate(referenceTo(change.key), 'orphaned', left[0]);
      } else if (!isMirror(change.key, item ?? undefined, other)) {
        await this.repair(change, item, other);
      }
    });
  }

  /** Repairs a mirror that another writer changed. */
  async repair(change, mirror, source) {
    const seen = markOf(mirror);
    if (mirror && !seen) {
      this.violate(RULE, source ? 'mirror_blocked' : 'mirror_extra', change.key);
    } else if (mirror) {
      const refused = await this.correct(change, source, seen);
      if (!refused) this.violate(RULE, source ? 'mirror_stale' : 'mirror_extra', change.key);
    } else {
      const fence = markOf(change.before)?.fence.S ?? LOWEST_FENCE;
      const content = { ...mirrorOf(change.key, source), _referee: mark(fence) };
      const refused = await this.put(content, { ConditionExpression: 'attribute_not_exists(pk)' });
      if (!refused) this.violate(RULE, 'mirror_missing', change.key);
    }
  }

  /** Writes a mirror from its source, if the mirror has not changed since it was read. */
  correct(change, source, seen) {
    const guard = {
      ConditionExpression: '#mark.#rule = :rule AND #mark.fence = :fence',
      ExpressionAttributeNames: { '#mark': '_referee', '#rule': 'rule' },
      ExpressionAttributeValues: { ':rule': { S: RULE }, ':fence': seen.fence },
    };
    return source
      ? this.put({ ...mirrorOf(change.key, source), _referee: { M: seen } }, guard)
      : this.delete(change.key, guard);
  }

  put(Item, guard) {
    return this.write(new PutItemCommand({ TableName: this.table, Item, ...ON_FAILURE, ...guard }));
  }

  delete(Key, guard) {
    return this.write(
      new DeleteItemCommand({ TableName: this.table, Key, ...ON_FAILURE, ...guard }),
    );
  }

  /** Makes a conditional write. If it is refused, returns the current item, or true if none exists. */
  async write(command) {
    try {
      await client.send(command);
      this.writes += 1;
      return undefined;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return error.Item ?? true;
      throw error;
    }
  }

  /**
   * Reads items with strong consistency. The result maps a key to its item, to null if there is
   * none, and to undefined if it could not be read.
   */
  async read(keys, attributes) {
    const items = new Map();
    const distinct = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
    const projection = attributes && {
      ProjectionExpression: attributes.map((_, place) => `#${place}`).join(),
      ExpressionAttributeNames: Object.fromEntries(attributes.map((name, n) => [`#${n}`, name])),
    };
    const chunks = [];
    for (let start = 0; start < distinct.length; start += BATCH_GET_KEYS_MAX) {
      chunks.push(distinct.slice(start, start + BATCH_GET_KEYS_MAX));
    }
    await limited(chunks, async (chunk) => {
      try {
        let Keys = chunk;
        for (let attempt = 0; Keys.length > 0 && attempt < ATTEMPTS_MAX; attempt += 1) {
          if (attempt > 0) await sleep(Math.random() * 25 * 2 ** attempt);
          const output = await client.send(
            new BatchGetItemCommand({
              RequestItems: { [this.table]: { Keys, ConsistentRead: true, ...projection } },
            }),
          );
          for (const item of output.Responses[this.table]) items.set(nameOf(item), item);
          const left = output.UnprocessedKeys?.[this.table]?.Keys ?? [];
          const unread = new Set(left.map(nameOf));
          for (const key of Keys) {
            const name = nameOf(key);
            if (!items.has(name) && !unread.has(name)) items.set(name, null);
          }
          Keys = left;
        }
      } catch (error) {
        log('WARN', { message: 'items could not be read', error: String(error) });
      }
    });
    return (key) => items.get(nameOf(key));
  }

  /** Returns the memberships that still refer to a deleted company or user. */
  async referring({ key }) {
    const isUser = kindOf(key) === 'user';
    const keys = [];
    let ExclusiveStartKey;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: this.table,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
          ProjectionExpression: 'pk, sk',
          ExpressionAttributeValues: {
            ':pk': key.pk,
            ':prefix': { S: isUser ? 'company#' : 'user#' },
          },
          ExclusiveStartKey,
        }),
      );
      keys.push(...page.Items.filter((item) => kindOf(item) === (isUser ? 'mirror' : 'member')));
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey);
    if (!isUser) return keys;
    // A mirror only suggests that its source exists.
    const sources = keys.map(otherHalf);
    const found = await this.read(sources, ['pk', 'sk']);
    return sources.filter((source) => found(source));
  }

  violate(rule, kind, key) {
    this.violations.push({ rule, kind, key });
  }

  /** Calls a function for all values, some at once. Changes for which it fails are redelivered. */
  each(all, task) {
    return limited(all, async (one) => {
      try {
        await task(one);
      } catch (error) {
        const change = one.change ?? one;
        log('WARN', { message: 'to be delivered again', key: change.key, error: String(error) });
        this.failed.add(change.first);
      }
    });
  }

  /** Returns the failures in the order of the records. */
  failures(records) {
    return records
      .map((record) => record.dynamodb?.SequenceNumber)
      .filter((sequence) => this.failed.has(sequence))
      .map((itemIdentifier) => ({ itemIdentifier }));
  }
}

const ON_FAILURE = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };

async function limited(all, task) {
  const queue = all.values();
  const worker = async () => {
    for (const one of queue) await task(one);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, all.length) }, worker));
}

function claimsOf(change) {
  const { pk, sk } = change.key;
  return [
    { rule: 'member_company', change, target: { pk, sk: { S: 'company#' } } },
    { rule: 'member_user', change, target: { pk: sk, sk: { S: 'user#' } } },
  ];
}

function referenceTo(key) {
  return kindOf(key) === 'user' ? 'member_user' : 'member_company';
}

const nameOf = ({ pk, sk }) => `${pk.S}\n${sk.S}`;
const otherHalf = ({ pk, sk }) => ({ pk: sk, sk: pk });
const mark = (fence) => ({ M: { rule: { S: RULE }, fence: { S: fence } } });

/** Returns the item's mark, if this rule wrote it as a mirror. */
function markOf(item) {
  const found = item?._referee?.M;
  return found?.rule?.S === RULE && found.fence?.S ? found : undefined;
}

function mirrorOf(key, source) {
  const mirror = { pk: key.pk, sk: key.sk };
  for (const name of COPIED) if (source[name]) mirror[name] = source[name];
  return mirror;
}

/** Whether the item at a mirror's key matches its source. Both may be absent. */
function isMirror(key, found, source) {
  if (!found || !source) return !found && !source;
  const { _referee, ...content } = found;
  return markOf(found) !== undefined && isDeepStrictEqual(content, mirrorOf(key, source));
}

function isUnchanged(before, after) {
  if (!before || !after) return !before && !after;
  return COPIED.every((name) => isDeepStrictEqual(before[name], after[name]));
}

function log(level, fields) {
  console.log(JSON.stringify({ level, ...fields }));
}

/** Prints a line for each violation, and a line of metrics in CloudWatch's embedded format. */
function report(records, { violations, writes }) {
  for (const violation of violations) log('WARN', { violation });
  const names = ['RecordsProcessed', 'MirrorWrites', 'Violations'];
  const Metrics = names.map((Name) => ({ Name, Unit: 'Count' }));
  const directive = { Namespace: 'Referee', Dimensions: [[]], Metrics };
  console.log(
    JSON.stringify({
      _aws: { Timestamp: Date.now(), CloudWatchMetrics: [directive] },
      RecordsProcessed: records,
      MirrorWrites: writes,
      Violations: violations.length,
    }),
  );
}
