// The findings: filters, and a list of which only the visible rows exist.

const ROW = 34;
const PRINTED_MAX = 2000;
const list = byId('list');
const rowsElement = byId('rows');
let shown = [];
let active = -1;
let openFinding = null;
/** The elements of the rows, by the row's position; they are used again for other rows. */
const elements = new Map();

function rowElement() {
  const row = element('div', { role: 'option' });
  row.append(element('span', { class: 'dot' }), element('span', { class: 'kind' }), element('span', {}),
    element('span', { class: 'key' }), element('span', { class: 'soft' }));
  return row;
}

function fill(row, position) {
  const index = shown[position];
  const finding = found.rows[index];
  const rule = ruleOf(finding);
  const item = finding[REFERENCING] ?? finding[REFERENCED];
  row.className = finding[WARNING] ? 'finding warn' : 'finding';
  row.id = `finding-${position}`;
  row.style.transform = `translateY(${position * ROW}px)`;
  row.setAttribute('aria-posinset', position + 1);
  row.setAttribute('aria-setsize', shown.length);
  row.setAttribute('aria-selected', position === active);
  const [, kind, name, key, detail] = row.children;
  kind.textContent = found.kinds[finding[KIND]];
  name.textContent = rule ? rule.name : '';
  key.textContent = keyText(item);
  detail.textContent = finding[DETAIL];
  row.title = `${found.tables[item?.[0]] ?? ''}: ${key.textContent}`;
  row.dataset.position = position;
}

/** Draws the rows in view. `all` draws every row again, for a new filter. */
function drawList(all) {
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 6);
  const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + 6);
  const free = [];
  for (const [position, row] of elements) {
    if (all || position < first || position >= last) {
      elements.delete(position);
      free.push(row);
    }
  }
  for (let position = first; position < last; position += 1) {
    if (elements.has(position)) continue;
    const row = free.pop() ?? rowsElement.appendChild(rowElement());
    fill(row, position);
    elements.set(position, row);
  }
  for (const row of free) row.remove();
}

function applyFilters() {
  const kind = byId('kind').value;
  const rule = byId('rule').value;
  const text = byId('filter').value.trim().toLowerCase();
  shown = [];
  for (let index = 0; index < found.rows.length; index += 1) {
    const row = found.rows[index];
    if (kind !== '' && row[KIND] !== Number(kind)) continue;
    if (rule !== '' && row[RULE] !== Number(rule)) continue;
    if (text !== '' && !textOf(index).includes(text)) continue;
    shown.push(index);
  }
  const isFiltered = kind !== '' || rule !== '' || text !== '';
  byId('clear').hidden = !isFiltered;
  byId('count').textContent = isFiltered
    ? `${number(shown.length)} of ${counted(found.rows.length, 'finding')}`
    : counted(found.rows.length, 'finding');
  activate(-1);
  rowsElement.style.height = `${shown.length * ROW}px`;
  list.scrollTop = 0;
  rowsElement.querySelector('.empty')?.remove();
  drawList(true);
  if (shown.length === 0) {
    const text = isFiltered ? 'No finding matches the filters.' : 'The audit found nothing wrong.';
    rowsElement.append(element('div', { class: 'empty' }, text));
  }
}

function activate(position) {
  elements.get(active)?.setAttribute('aria-selected', false);
  active = position;
  const row = elements.get(active);
  row?.setAttribute('aria-selected', true);
  if (row) list.setAttribute('aria-activedescendant', row.id);
  else list.removeAttribute('aria-activedescendant');
}

/** Moves to a row, scrolls to it, and shows its details. */
function goTo(position) {
  if (shown.length === 0) return;
  const to = Math.max(0, Math.min(shown.length - 1, position));
  if (to * ROW < list.scrollTop) list.scrollTop = to * ROW;
  const bottom = (to + 1) * ROW - list.clientHeight;
  if (bottom > list.scrollTop) list.scrollTop = bottom;
  drawList(false);
  activate(to);
  openFinding(shown[to]);
}

/** Sets the filters. */
function filterBy({ kind = '', rule = '', text = '' }) {
  byId('kind').value = kind;
  byId('rule').value = rule;
  byId('filter').value = text;
  applyFilters();
}

function options(select, all, entries) {
  select.replaceChildren(element('option', { value: '' }, all),
    ...entries.map(([value, text]) => element('option', { value }, text)));
}

function startList(open) {
  openFinding = open;
  if (!found) return;
  document.querySelector('main').classList.add('has-findings');
  byId('findings').hidden = false;
  options(byId('kind'), 'All kinds', found.kinds.map((name, index) => [index, name]));
  options(byId('rule'), 'All rules', data.rules.flatMap((rule, index) =>
    counts.has(rule.id) ? [[index, `${rule.name} (${number(counts.get(rule.id))})`]] : []));
  for (const id of ['kind', 'rule']) byId(id).addEventListener('change', applyFilters);
  let timer = 0;
  byId('filter').addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(applyFilters, 80);
  });
  byId('clear').addEventListener('click', () => filterBy({}));
  let isWaiting = false;
  list.addEventListener('scroll', () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      drawList(false);
    });
  }, { passive: true });
  list.addEventListener('click', event => {
    const row = event.target.closest('.finding');
    if (row) goTo(Number(row.dataset.position));
  });
  list.addEventListener('keydown', event => {
    const page = Math.max(1, Math.floor(list.clientHeight / ROW) - 1);
    const to = {
      ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: shown.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    goTo(to);
  });
  new ResizeObserver(() => drawList(false)).observe(list);
  window.addEventListener('beforeprint', () => {
    // Rows that the list is scrolled to, far below.
    for (const position of [...elements.keys()]) if (position >= PRINTED_MAX) elements.delete(position);
    for (let position = 0; position < Math.min(shown.length, PRINTED_MAX); position += 1) {
      if (elements.has(position)) continue;
      const row = rowElement();
      fill(row, position);
      elements.set(position, row);
    }
    const sorted = [...elements].sort(([one], [other]) => one - other);
    rowsElement.replaceChildren(...sorted.map(([, row]) => row));
    if (shown.length > PRINTED_MAX) {
      rowsElement.append(element('div', { class: 'empty' }, `${number(shown.length - PRINTED_MAX)} more are not printed.`));
    }
  });
  window.addEventListener('afterprint', () => {
    rowsElement.querySelector('.empty')?.remove();
    drawList(true);
  });
  applyFilters();
}
