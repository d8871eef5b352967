'use strict';

// The data of the page, and what is looked up in it.

const data = JSON.parse(document.getElementById('data').textContent);
const byId = id => document.getElementById(id);
const entities = new Map(data.entities.map(entity => [entity.id, entity]));
const rules = new Map(data.rules.map(rule => [rule.id, rule]));
const kinds = new Map(data.kinds);
const found = data.findings;

// The fields of a finding, which the page contains as an array.
const KIND = 0, RULE = 1, WARNING = 2, REFERENCING = 3, REFERENCED = 4, PATH = 5, DETAIL = 6, COUNT = 7;

/** A new element with attributes and children. Texts are never read as markup. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === 'onclick') made.addEventListener('click', value);
    else if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

/** A key value in the form that people read. */
function plain(value) {
  return value.S ?? value.N ?? value.B ?? JSON.stringify(value);
}

/** An item's key as text. */
function keyText(item) {
  return item ? Object.values(item[1]).map(plain).join(' / ') : '';
}

function ruleOf(finding) {
  return finding[RULE] === null ? null : data.rules[finding[RULE]];
}

/** The text of a finding that the filter looks at, in lower case. It is made once. */
const texts = found ? new Array(found.rows.length) : [];
function textOf(index) {
  let text = texts[index];
  if (text === undefined) {
    const row = found.rows[index];
    text = `${keyText(row[REFERENCING])}\n${keyText(row[REFERENCED])}\n${row[PATH] ?? ''}\n${row[DETAIL]}`.toLowerCase();
    texts[index] = text;
  }
  return text;
}

/** The number of findings of each rule, by its id. */
const counts = new Map();
if (found) {
  for (const row of found.rows) {
    const rule = ruleOf(row);
    if (rule) counts.set(rule.id, (counts.get(rule.id) ?? 0) + 1);
  }
}

/** The rules at an entity, with the entity at their other end. */
const rulesAt = new Map(data.entities.map(entity => [entity.id, []]));
for (const rule of data.rules) {
  rulesAt.get(rule.from)?.push([rule, rule.to]);
  if (rule.from !== rule.to) rulesAt.get(rule.to)?.push([rule, rule.from]);
}

/** The shortest path between two entities: rules and entities in turn; null if there is none. */
function path(from, to) {
  const before = new Map([[from, null]]);
  const queue = [from];
  for (const at of queue) {
    if (at === to) break;
    for (const [rule, other] of rulesAt.get(at) ?? []) {
      if (before.has(other) || !entities.has(other)) continue;
      before.set(other, [rule.id, at]);
      queue.push(other);
    }
  }
  if (!before.has(to)) return null;
  const ids = [to];
  for (let step = before.get(to); step; step = before.get(step[1])) ids.unshift(step[1], step[0]);
  return ids;
}

/** A number with thousands separators, as in the documentation. */
function number(value) {
  return value.toLocaleString('en-US');
}

function counted(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? '' : 's'}`;
}
