// Checks diagrams and reports in Chromium. `browser.rs` writes the files and reads the results, one
// line for each check: its name, a tab, and `ok` or what is wrong.
//
//     node check.mjs TOOLS FOLDER
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , tools, folder] = process.argv;
const require = createRequire(`${tools}/`);
const { chromium } = require('playwright-core');
const browser = await chromium.launch({ executablePath: `${tools}/run`, args: ['--no-sandbox', '--disable-gpu'] });

async function open(file, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, ...options });
  page.problems = [];
  page.on('pageerror', error => page.problems.push(error.message));
  page.on('console', message => { if (message.type() === 'error') page.problems.push(message.text()); });
  page.on('request', request => { if (!request.url().startsWith('file:')) page.problems.push(`loads ${request.url()}`); });
  if (file) await page.goto(pathToFileURL(path.join(folder, file)).href);
  return page;
}

async function check(name, run) {
  let result = 'ok';
  try {
    result = (await run()) ?? 'ok';
  } catch (error) {
    result = error.message;
  }
  console.log(`${name}\t${String(result).replaceAll(/\s+/g, ' ')}`);
}

// Every file of Mermaid is parsed and drawn by Mermaid itself.
await check('mermaid', async () => {
  const page = await open();
  await page.setContent('<div></div>');
  await page.addScriptTag({ path: `${tools}/node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js` });
  for (const file of fs.readdirSync(folder).filter(file => file.endsWith('.mmd'))) {
    const text = fs.readFileSync(path.join(folder, file), 'utf8');
    const problem = await page.evaluate(async text => {
      try {
        const { svg } = await mermaid.render('drawn', text);
        return svg.includes('<svg') ? null : 'no drawing';
      } catch (error) {
        return error.message;
      }
    }, text);
    if (problem) return `${file}: ${problem}`;
  }
  await page.close();
  return undefined;
});

// Every file of DOT is drawn by Graphviz. It reports only errors of syntax: a box whose label it
// cannot read has no title, and an edge to a port that does not exist leads to the box.
await check('graphviz', async () => {
  const { Graphviz } = await import(pathToFileURL(require.resolve('@hpcc-js/wasm-graphviz')).href);
  const graphviz = await Graphviz.load();
  const all = (text, pattern) => [...text.matchAll(pattern)];
  for (const file of fs.readdirSync(folder).filter(file => file.endsWith('.dot'))) {
    const text = fs.readFileSync(path.join(folder, file), 'utf8');
    const nodes = new Map(all(text, /^ *(n\d+) \[(.*)$/gm).map(([, name, rest]) => [name, rest]));
    const edges = all(text, /^ *(n\d+):(\w+) -> (n\d+):(\w+) \[/gm);
    const ends = edges.flatMap(([, from, out, to, into]) => [[from, out], [to, into]]);
    const lost = ends.find(([node, port]) => !nodes.get(node)?.includes(` port="${port}"`));
    if (lost) return `${file}: there is no port ${lost.join(':')}`;
    let svg;
    try {
      svg = graphviz.dot(text);
    } catch (error) {
      return `${file}: ${error.message}`;
    }
    const drawn = [/class="node"/g, /font-weight="bold"/g, /class="edge"/g].map(pattern => all(svg, pattern).length);
    const expected = [nodes.size, nodes.size, edges.length];
    if (!nodes.size || `${drawn}` !== `${expected}`) return `${file}: ${drawn} boxes, titles and edges instead of ${expected}`;
  }
  return undefined;
});

// The boxes of all texts, as the browser draws them, overlap no other text and stay in their frames.
await check('labels', async () => {
  for (const file of fs.readdirSync(folder).filter(file => file.endsWith('.svg'))) {
    const page = await open(file);
    const problem = await page.evaluate(() => {
      const svg = document.documentElement;
      const box = element => element.getBoundingClientRect();
      const texts = [...svg.querySelectorAll('text')].map(text => [text, box(text)]);
      const meets = (one, other) => one.left < other.right - 0.5 && other.left < one.right - 0.5 && one.top < other.bottom - 2 && other.top < one.bottom - 2;
      texts.sort(([, one], [, other]) => one.left - other.left);
      for (let index = 0; index < texts.length; index += 1) {
        const [text, one] = texts[index];
        for (let next = index + 1; next < texts.length && texts[next][1].left < one.right; next += 1) {
          if (meets(one, texts[next][1])) return `'${text.textContent}' meets '${texts[next][0].textContent}'`;
        }
        const frame = box(text.closest('.node, .label, .group').querySelector('rect'));
        if (one.left < frame.left || one.right > frame.right || one.top < frame.top - 1 || one.bottom > frame.bottom + 1) {
          return `'${text.textContent}' leaves its box`;
        }
      }
      const frames = [...svg.querySelectorAll('.body, .label rect')].map(box);
      const covered = frames.some((one, index) => frames.slice(index + 1).some(other => meets(one, other)));
      return covered ? 'two boxes overlap' : null;
    });
    const { problems } = page;
    await page.close();
    if (problem ?? problems[0]) return `${file}: ${problem ?? problems[0]}`;
  }
  return undefined;
});

const page = await open('report.html');
const details = () => page.locator('#details').innerText();

await check('untrusted', async () => {
  if (await page.evaluate(() => 'injected' in window)) return 'a script of the data ran';
  await page.fill('#filter', '<script>');
  await page.waitForFunction(() => document.getElementById('count').textContent.startsWith('1 of'));
  await page.click('.finding');
  const text = await details();
  await page.click('#clear');
  return text.includes('<script>injected = 1</script>') ? page.problems[0] : `the key is not shown: ${text}`;
});

// Another script of the page, were one injected, is refused by the policy.
await check('policy', async () => {
  const blocked = await open('report.html');
  await blocked.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'injected = 1';
    document.body.append(script);
    document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="injected = 1"><a id="inline" onclick="injected = 1">x</a>');
    document.getElementById('inline').click();
  });
  const ran = await blocked.evaluate(() => 'injected' in window);
  await blocked.close();
  return ran ? 'the script ran' : undefined;
});

await check('search', async () => {
  await page.keyboard.press('/');
  await page.keyboard.type('e7id');
  const first = await page.locator('#results li').first().innerText();
  if (!first.includes('e7Id')) return `found ${first}`;
  await page.keyboard.press('Enter');
  const shown = await page.evaluate(() => {
    const part = document.querySelector('.drawing:not([hidden]) .node.selected');
    const box = part.getBoundingClientRect();
    return box.left >= 0 && box.right <= innerWidth && document.activeElement === part;
  });
  return shown ? undefined : 'the entity is not in view, or does not have the focus';
});

await check('keyboard', async () => {
  await page.keyboard.press('Escape');
  await page.evaluate(() => document.querySelector('.drawing:not([hidden]) .node').focus());
  const before = await page.evaluate(() => document.activeElement.dataset.id);
  for (const key of ['ArrowDown', 'ArrowRight', 'ArrowUp']) await page.keyboard.press(key);
  const after = await page.evaluate(() => document.activeElement.dataset.id);
  if (before === after) return 'the arrow keys do not move';
  await page.keyboard.press('Enter');
  const text = await details();
  if (!text.includes(after.slice('entity.'.length))) return `Enter does not open the entity: ${text}`;
  await page.focus('#list');
  await page.keyboard.press('End');
  const last = await page.locator('.finding[aria-selected="true"]').getAttribute('aria-posinset');
  return last === '100000' ? undefined : `End leads to ${last}`;
});

await check('finding', async () => {
  await page.focus('#list');
  await page.keyboard.press('Home');
  const text = await details();
  const parts = ['Referencing item', 'aws dynamodb get-item --table-name', 'referee repair plan', 'does not exist'];
  const missing = parts.find(part => !text.includes(part));
  if (missing) return `'${missing}' is not in: ${text}`;
  const selected = await page.locator('.drawing:not([hidden]) .edge.selected').count();
  return selected === 1 ? undefined : `${selected} edges are selected`;
});

await check('path', async () => {
  await page.keyboard.press('Escape');
  await page.evaluate(() => open('entity.e9'));
  await page.selectOption('#details select', 'entity.e2');
  const text = await details();
  return /e9 – e9_\w+ – .*e2/.test(text) ? undefined : text;
});

await check('keys', async () => {
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('k');
  const attributes = await page.evaluate(() =>
    [...document.querySelectorAll('.drawing .row')].filter(row => row.checkVisibility() && row.dataset.name === 'state').length);
  await page.keyboard.press('k');
  return attributes === 0 ? undefined : `${attributes} attributes are shown`;
});

await check('theme', async () => {
  const color = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await color();
  await page.keyboard.press('t');
  const dark = await color();
  await page.keyboard.press('t');
  return light !== dark ? undefined : light;
});

await check('names', async () => {
  const unnamed = await page.evaluate(() => [...document.querySelectorAll('button, input, select, [role="option"], [role="button"], [role="listbox"], [role="tab"]')]
    .filter(element => element.checkVisibility() && !(element.getAttribute('aria-label') || element.textContent.trim() || element.title))
    .map(element => element.outerHTML.slice(0, 80)));
  return unnamed[0];
});

// Time that scrolling takes on the main thread: the median and the slowest of 120 frames.
await check('smooth', async () => {
  const times = await page.evaluate(async () => {
    const list = document.getElementById('list');
    const times = [];
    for (let step = 0; step < 120; step += 1) {
      const began = performance.now();
      list.scrollTop = (step * 28_337) % list.scrollHeight;
      drawList(false);
      list.getBoundingClientRect();
      document.querySelector('.finding').offsetHeight;
      times.push(performance.now() - began);
      await new Promise(requestAnimationFrame);
    }
    return times.sort((one, other) => one - other);
  });
  const rows = await page.locator('.finding').count();
  const median = times[60];
  console.error(`scrolling: median ${median.toFixed(1)} ms, slowest ${times[119].toFixed(1)} ms, ${rows} rows`);
  return median < 16 && rows < 100 ? undefined : `${median} ms, ${rows} rows`;
});

await check('print', async () => {
  await page.emulateMedia({ media: 'print' });
  const pdf = await page.evaluate(() => {
    dispatchEvent(new Event('beforeprint'));
    const rows = document.querySelectorAll('.finding').length;
    const buttons = document.getElementById('fit').checkVisibility();
    dispatchEvent(new Event('afterprint'));
    return [rows, buttons];
  });
  await page.emulateMedia({ media: null });
  return pdf[0] === 2000 && !pdf[1] ? undefined : `${pdf[0]} rows, buttons ${pdf[1]}`;
});

await check('problems', () => page.problems[0]);
await browser.close();
