// Usage: site.mjs CHROMIUM SITE HOSTILE. Opens every page of two sites from the disk: one of known reports, and one whose texts are hostile. With
// WHOLE=1 axe checks all pages and not only one of each kind. With SHOTS=DIR it saves screenshots.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [executablePath, site, hostile] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');
const profile = mkdtempSync(join(tmpdir(), 'dnode-reports-site-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  offline: true,
});

// All console messages, dialogs and requests of the pages.
const said = [];
function listen(page) {
  const at = () => decodeURI(page.url()).split('/').slice(-2).join('/');
  page.on('console', (message) => said.push(`${at()}: console: ${message.text()}`));
  page.on('pageerror', (error) => said.push(`${at()}: error: ${error.message}`));
  page.on('dialog', (dialog) => { said.push(`${at()}: dialog: ${dialog.message()}`); return dialog.dismiss(); });
  page.on('request', (request) => { if (!/^(file|data):/.test(request.url())) said.push(`${at()}: request: ${request.url()}`); });
  page.on('requestfailed', (request) => said.push(`${at()}: missing: ${request.url()}`));
}

// Follows all links from the front page, and passes each page to `check`. Gives the anchors and the links of each page by its path.
async function crawl(root, check = () => {}) {
  const pages = new Map();
  const page = await browser.newPage();
  listen(page);
  await page.setViewportSize({ width: 360, height: 740 });
  const left = ['index.html'];
  while (left.length) {
    const path = left.pop();
    if (pages.has(path)) continue;
    await page.goto(pathToFileURL(join(root, path)).href);
    const found = await page.evaluate(() => ({
      ids: [...document.querySelectorAll('[id]')].map((it) => it.id),
      links: [...document.querySelectorAll('a[href]')].map((it) => it.href),
      files: [...document.querySelectorAll('img[src], script[src], link[rel=stylesheet], form[action]')].map((it) => it.src ?? it.href ?? it.action),
      wide: document.documentElement.scrollWidth,
      headings: document.querySelectorAll('h1').length,
    }));
    assert.ok(found.wide <= 360, `${path}: ${found.wide} px wide on a phone`);
    assert.equal(found.headings, 1, `${path}: headings of the page`);
    assert.equal(new Set(found.ids).size, found.ids.length, `${path}: an id stands twice: ${found.ids.filter((id, n) => found.ids.indexOf(id) !== n)}`);
    pages.set(path, found);
    await check(page, path);
    for (const link of found.links) {
      const url = new URL(link);
      if (url.protocol !== 'file:') continue;
      const to = relative(root, fileURLToPath(new URL(url.pathname, 'file:')));
      if (to.endsWith('.html') && existsSync(join(root, to))) left.push(to);
    }
  }
  await page.close();
  return pages;
}

// The links that lead nowhere.
function broken(root, pages) {
  const problems = [];
  for (const [path, { links, files }] of pages) {
    for (const link of [...links, ...files]) {
      const url = new URL(link);
      if (url.protocol === 'data:') continue;
      if (url.protocol !== 'file:') {
        if (!/^https?:$/.test(url.protocol)) problems.push(`${path}: ${link}`);
        continue;
      }
      const to = relative(root, fileURLToPath(new URL(url.pathname, 'file:')));
      if (to.startsWith('..') || !existsSync(join(root, to))) problems.push(`${path}: no file ${to}`);
      else if (url.hash && !pages.get(to)?.ids.includes(decodeURIComponent(url.hash.slice(1)))) problems.push(`${path}: no anchor ${to}${url.hash}`);
    }
  }
  return problems;
}

async function accessible(root, paths) {
  for (const scheme of ['light', 'dark']) {
    const page = await browser.newPage();
    listen(page);
    await page.emulateMedia({ colorScheme: scheme });
    for (const path of paths) {
      await page.goto(pathToFileURL(join(root, path)).href);
      await page.evaluate(() => document.querySelectorAll('details').forEach((it) => { it.open = true; }));
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run({ preload: false }));
      const text = violations.map((it) => `${it.id}: ${it.help}\n  ${it.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join('\n  ')}`);
      assert.deepEqual(text, [], `${path}, ${scheme}`);
    }
    await page.close();
  }
}

// The search works from a disk, by keyboard, and from any page.
async function search() {
  const page = await browser.newPage();
  listen(page);
  await page.goto(pathToFileURL(join(site, 'clauses/framing/utf8.html')).href);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  await page.getByRole('searchbox').fill('split character');
  await page.keyboard.press('Enter');
  await page.waitForURL(/search\.html\?q=split/);
  await page.locator('#found a').first().waitFor();
  assert.equal(await page.locator('#found a').first().innerText(), 'framing/split-character');
  const all = await page.locator('#found li').count();
  await page.getByRole('searchbox').fill('SPLIT in-key');
  assert.ok(await page.locator('#found li').count() < all);
  await page.locator('#found a').first().click();
  await page.waitForURL(/clauses\/framing\/split-character\.html#case\/framing\/split-in-key$/);
  await page.goto(pathToFileURL(join(site, 'search.html')).href + '?q=<img src=x onerror=alert(1)>');
  assert.equal(await page.locator('#count').innerText(), '0 found');
  await page.close();
}

// Hostile texts stay texts: no markup, no control characters, no foreign link.
let shown = 0;
async function staysText(page, path) {
  assert.equal(await page.locator('img:not([src^="data:image/svg"]):not([src*="badges/"]), iframe, object, embed, main script, main style').count(), 0, path);
  assert.equal(await page.locator('[onerror], [onclick], [onload]').count(), 0, path);
  assert.doesNotMatch(await page.content(), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/, path);
  if ((await page.locator('main').textContent()).includes('<script>alert(1)</script>')) shown += 1;
}

async function searchOfHostileText() {
  assert.ok(shown >= 5, `markup is shown as text on ${shown} pages`);
  const page = await browser.newPage();
  listen(page);
  await page.goto(pathToFileURL(join(hostile, 'search.html')).href + '?q=alert');
  await page.locator('#found a').first().waitFor();
  assert.equal(await page.locator('main img, main script').count(), 0);
  await page.close();
}

async function pictures(folder) {
  const shots = { front: 'index.html', implementation: 'implementations/npm-dnode-1.2.2.html', clause: 'clauses/framing/split-character.html', clauses: 'clauses.html', history: 'history/npm-dnode.html' };
  for (const [name, path] of Object.entries(shots)) {
    for (const [width, scheme] of [[1280, 'light'], [1280, 'dark'], [400, 'light']]) {
      const page = await browser.newPage();
      await page.setViewportSize({ width, height: 1000 });
      await page.emulateMedia({ colorScheme: scheme });
      await page.goto(pathToFileURL(join(site, path)).href);
      await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`) });
      await page.close();
    }
  }
}

try {
  const pages = await crawl(site);
  assert.deepEqual(broken(site, pages), []);
  const evil = await crawl(hostile, staysText);
  assert.deepEqual(broken(hostile, evil), []);
  await search();
  await searchOfHostileText();
  // One page of each kind: the first of each folder, and those that are the only ones of theirs.
  const kinds = [...new Map([...pages.keys()].sort().reverse().map((path) => [path.split('/').length > 1 ? path.split('/')[0] : path, path])).values()];
  await accessible(site, process.env.WHOLE ? [...pages.keys()] : kinds);
  await accessible(hostile, ['index.html', [...evil.keys()].find((path) => path.startsWith('implementations/'))]);
  if (process.env.SHOTS) await pictures(process.env.SHOTS);
  assert.deepEqual(said, []);
  console.log(`${pages.size} pages`);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
