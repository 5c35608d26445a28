// Usage: browser.mjs CHROMIUM ONE SEVERAL HOSTILE GRID MANY DIFF MACHINE HOSTILE_MACHINE. Opens the pages in a real browser. With SHOTS=DIR it saves screenshots.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [executablePath, one, several, hostile, grid, many, diff, machine, hostileMachine] = process.argv.slice(2);
const axe = createRequire(import.meta.url).resolve('axe-core');
const profile = mkdtempSync(join(tmpdir(), 'dnode-reports-chromium-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  offline: true,
  permissions: ['clipboard-read', 'clipboard-write'],
});

// All console messages, dialogs and requests of the pages.
const said = [];
async function open(file, options = {}) {
  const page = await browser.newPage();
  page.on('console', (message) => said.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => said.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => { said.push(`dialog: ${dialog.message()}`); return dialog.dismiss(); });
  page.on('request', (request) => { if (!/^(file|data):/.test(request.url())) said.push(`request: ${request.url()}`); });
  if (options.viewport) await page.setViewportSize(options.viewport);
  await page.emulateMedia({ colorScheme: options.scheme ?? 'light', media: options.media ?? 'screen' });
  await page.goto(pathToFileURL(file).href + (options.fragment ?? ''));
  return page;
}
const articles = (page) => page.locator('article:visible').count();
const rows = (page) => page.locator('tr.case:visible').count();
const box = (page, name, value) => page.locator(`input[name=${name}][value="${value}"]`);
const count = (page) => page.locator('#count').textContent();
const fragment = (page) => page.evaluate(() => location.hash);
const current = (page) => page.locator('.current').evaluateAll((all) => all.map((it) => it.id));

async function filters() {
  const page = await open(several);
  assert.equal(await rows(page), 0, 'clauses are folded');
  const all = await page.locator('tr.case').count();
  assert.ok(all > 350, `${all} cases`);
  assert.equal(await count(page), `${all} of ${all} cases`);

  const search = page.getByPlaceholder('id, sentence');
  await search.fill('HALF-close');
  const found = await rows(page);
  assert.ok(found > 0 && found < 20, `${found} cases found by their text`);
  assert.equal(await count(page), `${found} of ${all} cases`);
  assert.equal(await fragment(page), '#?text=HALF-close');
  await search.fill('no such text');
  assert.ok(await page.locator('#none').isVisible());
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.waitForFunction((text) => document.getElementById('count').textContent === text, `${all} of ${all} cases`);
  assert.equal(await fragment(page), '');

  for (const letter of 'pfhnie') await box(page, 'verdict', letter).uncheck();
  const crashes = await rows(page);
  assert.equal(crashes, await page.locator('tr.case[data-v*=c]').count());
  assert.ok(crashes > 0 && crashes < all);
  assert.equal(await articles(page), crashes, 'the findings are filtered too');
  // With one peer left, only the crashes of that peer remain.
  const peers = await page.locator('input[name=peer]').count();
  assert.ok(peers > 1);
  await page.locator('details.peers summary').click();
  for (let peer = 1; peer < peers; peer += 1) await box(page, 'peer', peer).uncheck();
  assert.equal(await rows(page), await page.locator('tr.case[data-v^=c]').count());
  assert.equal(await page.locator('.matrix thead th:visible').count(), 2);
  assert.equal(await page.locator('article:visible .judged:visible').count(), await articles(page));
  // The address has the filters: another page with it shows the same.
  const [same, address] = [await count(page), await fragment(page)];
  assert.equal(address, '#?verdict=c&peer=0');
  const again = await open(several, { fragment: address });
  assert.equal(await count(again), same);
  await again.close();
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.waitForFunction(() => location.hash === '');

  await page.getByLabel('only rows that differ').check();
  const differing = await page.locator('tr.case').evaluateAll((cases) =>
    cases.filter((row) => new Set(row.dataset.v.replaceAll('-', '')).size > 1).length);
  assert.equal(await rows(page), differing);
  await page.getByLabel('only rows that differ').uncheck();

  for (const level of ['must', 'should', 'robust']) await box(page, 'level', level).uncheck();
  assert.equal(await rows(page), await page.locator('tr.case[data-l=observed]').count());
  await page.close();
}

async function folding() {
  const page = await open(one);
  const group = page.locator('tbody.group button').first();
  assert.equal(await page.locator('tbody.clause:visible').count(), 0, 'a single run shows only groups');
  await group.click();
  assert.equal(await group.getAttribute('aria-expanded'), 'true');
  await page.locator('tbody.clause:visible button').first().click();
  assert.ok(await rows(page) > 0);
  await group.click();
  assert.equal(await page.locator('tbody.clause:visible').count(), 0);
  await page.close();
}

async function links() {
  const page = await open(several);
  await page.evaluate(() => { location.hash = '#clause/framing/split-character'; });
  await page.waitForFunction(() => document.querySelector('tr.case:not([hidden]) a[href="#case/framing/split-character"]'));
  await page.locator('.matrix a[href="#case/framing/split-character"]').first().click();
  await page.locator('article.current').waitFor();
  assert.deepEqual(await current(page), ['case/framing/split-character']);
  // A link to a case that is filtered out shows it.
  await page.getByPlaceholder('id, sentence').fill('no such text');
  await page.evaluate(() => { location.hash = '#case/value/proto-key'; });
  await page.waitForFunction(() => !document.getElementById('case/value/proto-key').hidden);
  await page.close();

  const direct = await open(one, { fragment: '#case/message/argument-order' });
  const target = direct.locator('article.current');
  await target.waitFor();
  assert.ok(await target.evaluate((element) => element.getBoundingClientRect().top < innerHeight), 'the case is in view');
  assert.match(await target.locator('blockquote').innerText(), /message\/argument-order/);
  const passing = await open(one, { fragment: '#case/message/plain' });
  assert.ok(await passing.locator('tr.current').isVisible());
  await Promise.all([direct.close(), passing.close()]);
}

async function keys() {
  const page = await open(one);
  await page.keyboard.press('j');
  assert.deepEqual(await current(page), ['cause/1']);
  await page.keyboard.press('j');
  assert.deepEqual(await current(page), ['cause/2']);
  await page.keyboard.press('k');
  assert.deepEqual(await current(page), ['cause/1']);
  assert.equal(await fragment(page), '#cause/1');
  const cards = await page.locator('.cause').count();
  for (let card = 0; card < cards; card += 1) await page.keyboard.press('j');
  assert.equal(await page.locator('article.current details.judged[open]').count(), 1, 'a finding opens');
  await page.getByPlaceholder('id, sentence').fill('jk');
  assert.equal(await fragment(page).then((it) => it.split('?')[1]), 'text=jk', 'keys in the search field are text');
  await page.close();
}

async function cardsAndDiagrams() {
  const page = await open(one);
  assert.match(await page.locator('.headline').innerText(), /^Does not conform: \d+ causes?/);
  const card = page.locator('.cause').first();
  await card.locator('details.session > summary').click();
  const wire = card.locator('ol.wire').first();
  assert.deepEqual(await wire.locator('> .fold summary').allInnerTexts(), ['handshake: 2 messages']);
  assert.deepEqual(await wire.locator('> .suite, > .peer').evaluateAll((all) => all.map((it) => it.querySelector('.step').innerText.replace(/\s+/g, ' ').replace('suite ', '').replace('peer ', ''))), ['3 step 1', '4 step 2']);
  assert.deepEqual(await wire.locator('> .diverged mark').allInnerTexts(), ['"12"']);
  assert.deepEqual(await wire.locator('> .verdict mark').allInnerTexts(), ['differs']);
  await wire.locator('> .suite .copier').click();
  await wire.locator('.copier', { hasText: 'copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), '{"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"0":["2"]},"links":[]}');
  await card.locator('dd.copy .copier').click();
  await page.waitForFunction(async () => (await navigator.clipboard.readText()).includes('--case'));
  await card.locator('h3 .copier').click();
  await page.waitForFunction(async () => (await navigator.clipboard.readText()).endsWith('one.html#cause/1'));
  await page.close();
}

async function gridAndDiff() {
  const page = await open(grid);
  assert.match(await page.locator('h1').innerText(), /2 servers/);
  assert.equal(await rows(page), 3, 'one row for each client');
  assert.deepEqual(await page.locator('table.grid thead th.peer').allInnerTexts(), ['server x', 'server y']);
  await page.locator('table.grid td.f a').first().click();
  await page.locator('article.current').waitFor();
  await page.close();

  const changes = await open(diff);
  assert.match(await changes.locator('.headline').innerText(), /^\d+ added, \d+ removed$/);
  assert.equal(await articles(changes), await changes.locator('article').count());
  await changes.locator('article details.judged > summary').first().click();
  assert.ok(await changes.locator('article .wire').first().isVisible());
  await changes.close();
}

// The drawings: each text is inside its box, texts do not overlap, and a marked line leads to its transcript.
async function drawings() {
  for (const file of [machine, hostileMachine]) {
    const page = await open(file);
    const faults = await page.locator('svg.machine').evaluateAll((all) => all.flatMap((svg) => {
      const place = (element) => element.getBoundingClientRect();
      const cut = () => [...svg.querySelectorAll('text')].filter((it) => place(it).right > place(svg).right + 1 || place(it).bottom > place(svg).bottom + 1).map((it) => `cut: ${it.textContent}`);
      const texts = [...svg.querySelectorAll('text')];
      const over = texts.flatMap((a, n) => texts.slice(n + 1).filter((b) => {
        const [p, q] = [place(a), place(b)];
        return Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1 && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 4;
      }).map((b) => `over: ${a.textContent} and ${b.textContent}`));
      const out = [...svg.querySelectorAll('rect')].flatMap((box) => texts.filter((text) => {
        const [p, q] = [place(box), place(text)];
        return q.left >= p.left && q.left < p.right && q.top >= p.top && q.bottom <= p.bottom && q.right > p.right;
      }).map((text) => `out: ${text.textContent}`));
      return [...cut(), ...over, ...out];
    }));
    assert.deepEqual(faults, [], file);
    await page.close();
  }
  const page = await open(machine);
  await page.locator('svg.machine a', { hasText: '!9 expected silence (cull/deletes)' }).first().click();
  await page.waitForFunction(() => document.querySelector('article.current')?.id === 'difference/9');
  assert.match(await page.locator('article.current').innerText(), /cull-p → call-culled/);
  await page.close();
}

async function hostileText() {
  for (const file of [hostile, diff, hostileMachine]) {
    const page = await open(file);
    assert.equal(await page.locator('img, iframe, object, embed, main script, main style').count(), 0);
    assert.equal(await page.locator('script').count(), 1);
    assert.equal(await page.locator('a').evaluateAll((all) => all.filter((a) => !/^(#|https:\/\/github\.com\/)/.test(a.getAttribute('href'))).length), 0);
    const text = await page.locator('main').textContent();
    assert.ok(text.includes('<script>alert(1)</script>') && text.includes('\\u{202e}'), 'markup is shown as text');
    assert.doesNotMatch(await page.content(), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/);
    await page.close();
  }
  const page = await open(hostile, { fragment: '#?text=alert' });
  assert.ok(await rows(page) > 0, 'hostile ids are found');
  for (const link of await page.locator('.matrix .case th a').all()) {
    await link.click();
    await page.locator('article.current, tr.current').waitFor();
  }
  await page.close();
}

async function paperAndPhone() {
  const paper = await open(many, { media: 'print' });
  const pages = (await paper.pdf({ format: 'A4' })).toString('latin1').match(/\/Type\s*\/Page[^s]/g).length;
  assert.ok(pages <= 15, `${pages} pages of paper`);
  await paper.evaluate(() => dispatchEvent(new Event('beforeprint')));
  assert.ok(!await paper.locator('#filters').isVisible());
  assert.equal(await articles(paper), 0, 'paper has the causes, not each finding');
  assert.equal(await paper.locator('.cause details.session[open]').count(), 24);
  await paper.evaluate(() => dispatchEvent(new Event('afterprint')));
  assert.equal(await paper.locator('.cause details.session[open]').count(), 0);
  await paper.close();

  for (const file of [one, several, hostile, grid, many, diff, machine, hostileMachine]) {
    const phone = await open(file, { viewport: { width: 360, height: 740 } });
    const wide = await phone.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `${file}: ${wide} px wide on a phone`);
    await phone.close();
  }
}

async function accessible() {
  for (const file of [one, several, grid, diff, machine]) {
    for (const scheme of ['light', 'dark']) {
      const page = await open(file, { scheme });
      await page.evaluate(() => document.querySelectorAll('details.session, article details').forEach((it, number) => { it.open = number < 50; }));
      // Elements that were never drawn have no place, and axe takes the colours of others for theirs.
      await page.addStyleTag({ content: 'article { content-visibility: visible !important }' });
      await page.addScriptTag({ path: axe });
      const { violations } = await page.evaluate(() => axe.run());
      const text = violations.map((it) => `${it.id}: ${it.help}\n  ${it.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join('\n  ')}`);
      assert.deepEqual(text, [], `${file}, ${scheme}`);
      await page.close();
    }
  }
}

async function pictures(folder) {
  for (const [name, file, place] of [['one', one, ''], ['finding', one, '#case/message/argument-order'], ['several', several, '#matrix'], ['grid', grid, ''], ['diff', diff, ''], ['many', many, '#life'], ['machine', machine, '']]) {
    for (const width of [1400, 820, 390]) {
      for (const scheme of ['light', 'dark']) {
        const page = await open(file, { viewport: { width, height: 1000 }, scheme, fragment: place });
        await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`) });
        const { loadEventEnd } = await page.evaluate(() => performance.getEntriesByType('navigation')[0].toJSON());
        console.log(`${name}: loaded after ${Math.round(loadEventEnd)} ms`);
        await page.close();
      }
    }
  }
}

try {
  await filters();
  await folding();
  await links();
  await keys();
  await cardsAndDiagrams();
  await gridAndDiff();
  await drawings();
  await hostileText();
  await paperAndPhone();
  await accessible();
  if (process.env.SHOTS) await pictures(process.env.SHOTS);
  assert.deepEqual(said, []);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
