// Puts the parts together: what is opened, and the keys of the whole page.

function openEntity(entity) {
  const near = new Set([entity.id]);
  for (const [rule, other] of rulesAt.get(entity.id)) near.add(rule.id).add(other);
  emphasize(near, new Set([entity.id]));
  replaceDetails(describeEntity(entity));
}

function openRule(rule) {
  emphasize(new Set([rule.id, rule.from, rule.to]), new Set([rule.id]));
  replaceDetails(describeRule(rule));
}

/** Opens a part of a diagram that is neither an entity nor a rule: its title says what it is. */
function openPart(id) {
  const of = drawing();
  const part = of.parts.get(id);
  if (!part) return;
  const near = new Set([id]);
  for (const [other, edge] of of.parts) {
    const { from, to } = edge.dataset;
    if (other === id && from) near.add(from).add(to);
    if (from === id || to === id) near.add(other).add(from).add(to);
  }
  emphasize(near, new Set([id]));
  const [name, ...more] = part.querySelector('title').textContent.split('; ');
  const rows = [...part.querySelectorAll('.row')].map(row =>
    element('li', {}, [...row.querySelectorAll('text')].map(text => text.firstChild.textContent).join(' ')));
  replaceDetails([element('h2', {}, name), ...more.map(text => element('p', {}, text)), element('ul', {}, ...rows)]);
}

/** Opens an entity, a rule or another part; nothing if `id` is null. */
function open(id, moves) {
  if (id === null) {
    emphasize(null, new Set());
    replaceDetails(describePage());
    return;
  }
  const view = viewOf(id);
  if (view !== current) show(view);
  if (entities.has(id)) openEntity(entities.get(id));
  else if (rules.has(id)) openRule(rules.get(id));
  else openPart(id);
  if (moves) {
    reveal(id);
    const part = drawing().parts.get(id);
    if (part) focusPart(drawing(), part);
  }
}

function openFindingAt(index) {
  const finding = found.rows[index];
  const rule = ruleOf(finding);
  if (rule) {
    const view = viewOf(rule.id);
    if (view !== current) show(view);
    emphasize(new Set([rule.id, rule.from, rule.to]), new Set([rule.id]));
    reveal(rule.id);
  } else emphasize(null, new Set());
  replaceDetails(describeFinding(finding));
}

function switchTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = isDark ? 'light' : 'dark';
}

const actions = {
  '+': () => zoom(drawing(), 1.25),
  '=': () => zoom(drawing(), 1.25),
  '-': () => zoom(drawing(), 0.8),
  0: () => fit(drawing()),
  k: () => { if (views.get(current).keys) show(current, !keysOnly); },
  t: switchTheme,
  '/': () => searchInput.focus(),
  Escape: () => open(null),
};

function start() {
  const tabs = [...document.querySelectorAll('[role="tab"]')];
  tabs.forEach((tab, index) => {
    tab.addEventListener('click', () => show(tab.id.slice('tab-'.length)));
    tab.addEventListener('keydown', event => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      const to = tabs[(index + step + tabs.length) % tabs.length];
      to.click();
      to.focus();
    });
  });
  byId('keys').addEventListener('click', actions.k);
  byId('larger').addEventListener('click', actions['+']);
  byId('smaller').addEventListener('click', actions['-']);
  byId('fit').addEventListener('click', actions[0]);
  byId('theme').addEventListener('click', switchTheme);
  document.addEventListener('keydown', event => {
    const isTyping = event.target.closest?.('input, select, textarea');
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });
  if (found) {
    byId('legend').append(element('b', {}, '■'), ' intact  ', element('b', { class: 'warning' }, '■'), ' warnings  ',
      element('b', { class: 'broken' }, '■'), ' violations');
  } else byId('legend').hidden = true;
  if (tabs.length === 1) tabs[0].parentElement.hidden = true;
  show(views.keys().next().value);
  listen(open);
  startSearch(open);
  startList(openFindingAt);
  replaceDetails(describePage());
}

if (views.size > 0) start();
