// The diagrams: moving, zooming, and what is emphasized.

const stage = byId('stage');
const views = new Map();
let current = null;
let keysOnly = false;

/** The drawing that is shown. */
function drawing() {
  const view = views.get(current);
  return keysOnly && view.keys ? view.keys : view.full;
}

function prepare(element) {
  const svg = element.querySelector('svg');
  const [left, top, width, height] = svg.getAttribute('viewBox').split(' ').map(Number);
  const parts = new Map();
  for (const part of svg.querySelectorAll('.node, .edge')) {
    parts.set(part.dataset.id, part);
    part.setAttribute('role', 'button');
    part.setAttribute('tabindex', '-1');
    part.setAttribute('aria-label', part.querySelector('title').textContent);
  }
  svg.setAttribute('role', 'group');
  svg.setAttribute('aria-label', svg.querySelector('title').textContent);
  return { element, svg, left, top, width, height, parts, x: 0, y: 0, scale: 1, isFitted: false };
}

for (const element of stage.querySelectorAll('.view')) {
  const keys = element.querySelector('.keys');
  views.set(element.id.slice('view-'.length), {
    element, full: prepare(element.querySelector('.full')), keys: keys && prepare(keys),
  });
}

function apply(of) {
  of.svg.style.transform = `translate(${of.x}px, ${of.y}px) scale(${of.scale})`;
}

function fit(of) {
  const { clientWidth, clientHeight } = stage;
  of.scale = Math.min(clientWidth / of.width, clientHeight / of.height, 1.25);
  of.x = (clientWidth - of.width * of.scale) / 2;
  of.y = (clientHeight - of.height * of.scale) / 2;
  of.isFitted = true;
  apply(of);
}

/** Zooms, and keeps a point of the stage where it is. */
function zoom(of, factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const scale = Math.min(Math.max(of.scale * factor, 0.02), 4);
  of.x = x - (x - of.x) * scale / of.scale;
  of.y = y - (y - of.y) * scale / of.scale;
  of.scale = scale;
  of.isFitted = false;
  apply(of);
}

/** Moves a part of the diagram into view, large enough to read. */
function reveal(id) {
  const of = drawing();
  const part = of.parts.get(id);
  if (!part) return;
  if (of.scale < 0.55) zoom(of, 0.8 / of.scale);
  const box = part.getBoundingClientRect();
  const frame = stage.getBoundingClientRect();
  const isInside = box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
  if (isInside) return;
  of.x += frame.left + frame.width / 2 - (box.left + box.right) / 2;
  of.y += frame.top + frame.height / 2 - (box.top + box.bottom) / 2;
  of.isFitted = false;
  apply(of);
}

/** Emphasizes parts, of which the selected ones are marked. */
function emphasize(near, selected) {
  for (const view of views.values()) {
    for (const of of [view.full, view.keys]) {
      if (!of) continue;
      of.svg.classList.toggle('has-selection', near !== null && [...near].some(id => of.parts.has(id)));
      for (const [id, part] of of.parts) {
        part.classList.toggle('near', near !== null && near.has(id));
        part.classList.toggle('selected', selected.has(id));
      }
    }
  }
}

/** The view that has a part. */
function viewOf(id) {
  if (views.get(current).full.parts.has(id)) return current;
  return [...views.keys()].find(name => views.get(name).full.parts.has(id)) ?? current;
}

function show(name, keys = keysOnly) {
  current = name;
  keysOnly = keys;
  for (const [other, view] of views) {
    view.element.hidden = other !== name;
    if (view.keys) {
      view.full.element.hidden = keys;
      view.keys.element.hidden = !keys;
    }
    const tab = byId(`tab-${other}`);
    tab.setAttribute('aria-selected', other === name);
    tab.setAttribute('tabindex', other === name ? 0 : -1);
  }
  byId('keys').hidden = !views.get(name).keys;
  byId('keys').setAttribute('aria-pressed', keys);
  const of = drawing();
  if (of.isFitted || of.x === 0) fit(of);
  // One part can be reached with the tab key, the others from it with the arrow keys.
  if (!of.svg.querySelector('[tabindex="0"]')) of.svg.querySelector('.node')?.setAttribute('tabindex', '0');
}

/** The part nearest to another in a direction. */
function next(of, from, dx, dy) {
  const center = part => {
    const box = part.getBoundingClientRect();
    return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  };
  const [x, y] = center(from);
  let best = null;
  let least = Infinity;
  for (const part of of.svg.querySelectorAll('.node')) {
    if (part === from) continue;
    const [px, py] = center(part);
    const along = (px - x) * dx + (py - y) * dy;
    const across = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
    if (along > 1 && along + 2 * across < least) [best, least] = [part, along + 2 * across];
  }
  return best;
}

function focusPart(of, part) {
  for (const old of of.svg.querySelectorAll('[tabindex="0"]')) old.setAttribute('tabindex', '-1');
  part.setAttribute('tabindex', '0');
  part.focus({ preventScroll: true });
  reveal(part.dataset.id);
}

/** Lets the pointer, the wheel and two fingers move and zoom the diagram. `open` is called for clicks. */
function listen(open) {
  const pointers = new Map();
  let moved = 0;
  stage.addEventListener('pointerdown', event => {
    if (event.button !== 0) return;
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    moved = 0;
  });
  window.addEventListener('pointermove', event => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const of = drawing();
    const distance = ([[x, y], [u, v]]) => Math.hypot(x - u, y - v);
    const apart = pointers.size === 2 && distance([...pointers.values()]);
    pointers.set(event.pointerId, now);
    moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
    if (moved > 4) stage.classList.add('moving');
    const frame = stage.getBoundingClientRect();
    if (apart) zoom(of, distance([...pointers.values()]) / apart, now[0] - frame.left, now[1] - frame.top);
    else {
      of.x += now[0] - before[0];
      of.y += now[1] - before[1];
      of.isFitted = of.isFitted && moved === 0;
      apply(of);
    }
  });
  for (const end of ['pointerup', 'pointercancel']) {
    window.addEventListener(end, event => {
      pointers.delete(event.pointerId);
      stage.classList.remove('moving');
    });
  }
  stage.addEventListener('click', event => {
    if (moved > 4) return;
    const part = event.target.closest('.node, .edge');
    open(part ? part.dataset.id : null);
  });
  stage.addEventListener('wheel', event => {
    event.preventDefault();
    const of = drawing();
    const frame = stage.getBoundingClientRect();
    if (event.shiftKey) {
      of.x -= event.deltaX || event.deltaY;
      apply(of);
    } else {
      const delta = Math.max(-120, Math.min(120, event.deltaMode ? event.deltaY * 30 : event.deltaY));
      zoom(of, Math.exp(-delta / 400), event.clientX - frame.left, event.clientY - frame.top);
    }
  }, { passive: false });
  stage.addEventListener('keydown', event => {
    const part = event.target.closest?.('.node, .edge');
    if (!part) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      open(part.dataset.id, true);
    }
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!direction) return;
    event.preventDefault();
    const to = next(drawing(), part, ...direction);
    if (to) focusPart(drawing(), to);
  });
  new ResizeObserver(() => {
    const of = drawing();
    if (of.isFitted) fit(of);
  }).observe(stage);
}
