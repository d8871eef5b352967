// The panel that describes what is selected.

const details = byId('details');

function link(text, onclick, ...more) {
  return element('li', {}, element('button', { type: 'button', class: 'link', onclick }, text), ...more);
}

function heading(text) {
  return element('h3', {}, text);
}

/** A text in a shell, as one word. */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command that can be copied. */
function command(text) {
  const button = element('button', { type: 'button', 'aria-label': 'Copy the command' }, 'Copy');
  const pre = element('pre', {}, text);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch {
      // Without the right to use the clipboard, the text is selected instead.
      getSelection().selectAllChildren(pre);
      button.textContent = 'Selected';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
  return element('div', { class: 'command' }, pre, button);
}

/** The explanation of a rule or an entity. */
function explanation(text) {
  return element('pre', {}, text.trim());
}

function findingsButton(rule) {
  const count = counts.get(rule.id);
  if (!count) return null;
  const index = data.rules.indexOf(rule);
  return element('button', { type: 'button', onclick: () => { filterBy({ rule: String(index) }); list.focus(); } },
    `Show ${counted(count, 'finding')}`);
}

function ruleLink(rule) {
  const other = counts.get(rule.id);
  const sub = other ? element('span', { class: 'chip error', 'aria-label': counted(other, 'finding') }, number(other)) : null;
  return link(`${rule.name}`, () => open(rule.id),
    sub, element('span', { class: 'sub' }, `${entities.get(rule.from)?.name ?? '?'} → ${entities.get(rule.to)?.name ?? '?'}`));
}

function describeEntity(entity) {
  const at = rulesAt.get(entity.id) ?? [];
  const neighbours = [...new Set(at.map(([, other]) => other))].filter(id => id !== entity.id && entities.has(id));
  const own = at.filter(([rule]) => (rule.kind === 'mirror' ? rule.to : rule.from) === entity.id).map(([rule]) => rule);
  const total = own.reduce((sum, rule) => sum + (counts.get(rule.id) ?? 0), 0);
  const buttons = own.map(findingsButton).filter(button => button);
  const others = data.entities.filter(other => other.id !== entity.id);
  const select = element('select', { 'aria-label': 'Path to another entity' },
    element('option', { value: '' }, 'Path to…'), ...others.map(other => element('option', { value: other.id }, other.name)));
  const way = element('div', { role: 'status' });
  select.addEventListener('change', () => {
    way.replaceChildren();
    if (select.value === '') return openEntity(entity);
    const ids = path(entity.id, select.value);
    if (!ids) {
      way.append(element('p', {}, 'No rules connect these entities.'));
      return undefined;
    }
    emphasize(new Set(ids), new Set([entity.id, select.value]));
    const names = ids.map(id => (entities.get(id) ?? rules.get(id)).name);
    way.append(element('p', {}, names.join(' – ')));
    fit(drawing());
    return undefined;
  });
  return [
    element('h2', {}, entity.name),
    element('p', { class: 'sub' }, `Entity in table ${entity.table}`),
    ...(found ? [heading(counted(total, 'finding')), ...buttons] : []),
    heading('Key and role'), explanation(entity.text),
    heading(counted(at.length, 'rule')), element('ul', {}, ...at.map(([rule]) => ruleLink(rule))),
    heading(counted(neighbours.length, 'neighbour')),
    element('ul', {}, ...neighbours.map(id => link(entities.get(id).name, () => open(id)))),
    heading('Path'), select, way,
  ];
}

function describeRule(rule) {
  const end = id => link(entities.get(id)?.name ?? '?', () => open(id));
  return [
    element('h2', {}, rule.name),
    element('p', { class: 'sub' }, rule.kind === 'mirror' ? 'Mirror rule' : 'Reference'),
    ...(found ? [heading(counted(counts.get(rule.id) ?? 0, 'finding')), findingsButton(rule)] : []),
    heading('From'), element('ul', {}, end(rule.from)),
    heading('To'), element('ul', {}, end(rule.to)),
    heading('What it does'), explanation(rule.text),
  ];
}

/** The lines for an item: its table and key, and the command that reads it. */
function itemParts(title, item) {
  if (!item) return [];
  const table = found.tables[item[0]];
  const key = JSON.stringify(item[1]);
  return [heading(title), element('p', { class: 'key' }, `${table}: ${keyText(item)}`),
    command(`aws dynamodb get-item --table-name ${table} --key ${quoted(key)}`)];
}

function fixes(finding, rule) {
  const file = data.source && data.source !== '-' ? quoted(data.source) : 'findings.jsonl';
  const item = finding[REFERENCING] ?? finding[REFERENCED];
  const parts = [];
  if (rule?.kind === 'mirror') {
    parts.push(element('p', {}, 'Write the mirrors of all these findings:'),
      command(`referee backfill --live --apply ${file}`));
  } else if (rule) {
    parts.push(element('p', {}, 'Plan the repairs of all these findings, review the plan, and apply it:'),
      command(`referee repair plan --live --out plan.jsonl ${file}`), command('referee repair apply --live plan.jsonl'));
  }
  if (item) {
    parts.push(element('p', {}, 'Show what the rules see in the item:'),
      command(`referee explain --table ${quoted(found.tables[item[0]])} ${quoted(JSON.stringify(item[1]))}`));
  }
  return parts;
}

function describeFinding(finding) {
  const rule = ruleOf(finding);
  const kind = found.kinds[finding[KIND]];
  const chip = finding[WARNING] ? element('span', { class: 'chip warn' }, 'warning') : element('span', { class: 'chip error' }, 'error');
  const isMirror = rule?.kind === 'mirror';
  const names = isMirror ? ['Mirror item', 'Source item'] : ['Referencing item', 'Referenced item'];
  return [
    element('h2', {}, kind), element('p', { class: 'sub' }, chip, ' ', finding[DETAIL]),
    ...(rule ? [heading('Rule'), element('ul', {}, ruleLink(rule))] : []),
    ...(finding[PATH] === null ? [] : [heading('Attribute'), element('p', { class: 'key' }, finding[PATH])]),
    ...itemParts(names[0], finding[REFERENCING]), ...itemParts(names[1], finding[REFERENCED]),
    heading('Fix'), element('p', {}, kinds.get(kind) ?? ''), ...fixes(finding, rule),
  ];
}

function describePage() {
  const broken = data.rules.filter(rule => counts.has(rule.id));
  const numbers = [[data.entities.length, 'entities', ''], [data.rules.length, 'rules', '']];
  if (found) numbers.push([found.rows.length, 'findings', found.rows.length ? 'bad' : '']);
  broken.sort((one, other) => counts.get(other.id) - counts.get(one.id));
  const warning = found && found.complete !== true
    ? element('p', { class: 'chip warn' }, 'The audit was incomplete: there may be more findings.') : null;
  return [
    element('h2', {}, 'Overview'),
    element('div', { class: 'numbers' }, ...numbers.map(([value, noun, name]) =>
      element('div', { class: name }, element('b', {}, number(value)), noun))),
    warning,
    element('p', { class: 'sub' }, 'Select an entity, a rule or a finding. Drag to move, scroll to zoom; the keys / + - 0 k t search, zoom, fit, and switch.'),
    ...(broken.length ? [heading('Rules with findings'), element('ul', {}, ...broken.map(ruleLink))] : []),
    heading('Rules'), element('ul', {}, ...data.rules.map(ruleLink)),
  ].filter(part => part);
}

function replaceDetails(parts) {
  details.replaceChildren(...parts.filter(part => part));
  details.scrollTop = 0;
}
