// The search over entities, attributes and rules.

const RESULTS_MAX = 50;
const searchInput = byId('search');
const results = byId('results');
let chosen = -1;

/** Everything that can be found: text, kind, and what to open. */
const targets = [
  ...data.entities.map(entity => ({ name: entity.name, kind: 'entity', id: entity.id })),
  ...data.rules.map(rule => ({ name: rule.name, kind: rule.kind, id: rule.id })),
  ...data.entities.flatMap(entity => entity.fields.map(field => ({ name: field, kind: `in ${entity.name}`, id: entity.id, field }))),
];
for (const view of views.values()) {
  for (const [id, part] of view.full.parts) {
    if (entities.has(id) || rules.has(id) || !part.classList.contains('node')) continue;
    targets.push({ name: part.querySelector('.title').textContent, kind: part.querySelector('.kind')?.textContent ?? '', id });
  }
}
for (const target of targets) target.lower = target.name.toLowerCase();

function matches(text) {
  const ranked = [];
  for (const target of targets) {
    const at = target.lower.indexOf(text);
    if (at >= 0) ranked.push([target.lower === text ? 0 : at === 0 ? 1 : 2, target]);
  }
  ranked.sort(([one], [other]) => one - other);
  return ranked.slice(0, RESULTS_MAX).map(([, target]) => target);
}

function choose(at) {
  const items = [...results.children];
  chosen = items.length === 0 ? -1 : (at + items.length) % items.length;
  items.forEach((item, index) => item.setAttribute('aria-selected', index === chosen));
  const item = items[chosen];
  if (item) {
    searchInput.setAttribute('aria-activedescendant', item.id);
    item.scrollIntoView({ block: 'nearest' });
  } else searchInput.removeAttribute('aria-activedescendant');
}

function closeSearch() {
  results.hidden = true;
  searchInput.setAttribute('aria-expanded', false);
  searchInput.removeAttribute('aria-activedescendant');
}

function startSearch(open) {
  const take = target => {
    closeSearch();
    searchInput.value = '';
    open(target.id, true);
    const part = drawing().parts.get(target.id);
    for (const row of part?.querySelectorAll('.row') ?? []) {
      row.classList.toggle('found', target.field !== undefined && row.textContent.includes(target.field));
    }
  };
  const update = () => {
    const text = searchInput.value.trim().toLowerCase();
    const all = text === '' ? [] : matches(text);
    results.replaceChildren(...all.map((target, index) => element('li', {
      role: 'option', id: `result-${index}`, 'aria-selected': false, onclick: () => take(target),
    }, target.name, element('span', {}, target.kind))));
    results.hidden = text === '';
    if (text !== '' && all.length === 0) results.append(element('li', { role: 'option', 'aria-disabled': true }, 'Nothing found'));
    searchInput.setAttribute('aria-expanded', text !== '');
    choose(0);
  };
  searchInput.addEventListener('input', update);
  searchInput.addEventListener('keydown', event => {
    if (event.key === 'ArrowDown') choose(chosen + 1);
    else if (event.key === 'ArrowUp') choose(chosen - 1);
    else if (event.key === 'Enter') results.children[chosen]?.click();
    else if (event.key === 'Escape') {
      searchInput.value = '';
      closeSearch();
      return;
    } else return;
    event.preventDefault();
  });
  searchInput.addEventListener('blur', () => setTimeout(closeSearch, 150));
  searchInput.addEventListener('focus', () => { if (searchInput.value !== '') update(); });
}
