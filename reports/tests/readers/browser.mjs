// Usage: browser.mjs CHROMIUM ONE SEVERAL HOSTILE. Opens the pages in a real browser. With SHOTS=DIR it saves screenshots.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [executablePath, one, several, hostile] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'dnode-reports-chromium-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  offline: true,
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

async function filters() {
  const page = await open(several);
  const all = await articles(page);
  assert.ok(all > 350, `${all} cases`);
  assert.equal(await rows(page), all);
  assert.equal(await page.locator('#count').textContent(), `${all} of ${all} cases`);

  await page.getByPlaceholder('id, sentence').fill('HALF-close');
  const found = await articles(page);
  assert.ok(found > 0 && found < 20 && found === await rows(page), `${found} cases found by their text`);
  await page.getByPlaceholder('id, sentence').fill('no such text');
  assert.equal(await articles(page), 0);
  assert.ok(await page.locator('#none').isVisible());
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.waitForFunction((count) => document.querySelectorAll('article:not([hidden])').length === count, all);

  for (const letter of 'pfhnie') await box(page, 'verdict', letter).uncheck();
  const crashes = await articles(page);
  const withCrash = await page.locator('article[data-v*=c]').count();
  assert.ok(crashes > 0 && crashes < all);
  assert.equal(crashes, withCrash);
  // With one peer left, only the crashes of that peer remain.
  const peers = await page.locator('input[name=peer]').count();
  assert.ok(peers > 1);
  for (let peer = 1; peer < peers; peer += 1) await box(page, 'peer', peer).uncheck();
  assert.equal(await articles(page), await page.locator('article[data-v^=c]').count());
  assert.equal(await page.locator('.matrix thead th:visible').count(), 2);
  assert.equal(await page.locator('article:visible .judged:visible').count(), await articles(page));
  await page.getByRole('button', { name: 'Show all' }).click();

  for (const level of ['must', 'should', 'robust']) await box(page, 'level', level).uncheck();
  assert.equal(await articles(page), await page.locator('article[data-l=observed]').count());
  await page.close();
}

async function links() {
  const page = await open(several);
  await page.locator('.matrix a[href="#case/framing/half-close"]').first().click();
  const article = page.locator('article:target');
  assert.equal(await article.getAttribute('id'), 'case/framing/half-close');
  assert.ok(await article.locator('details.judged[open] dl').first().isVisible(), 'a link to a case unfolds it');
  await page.getByPlaceholder('id, sentence').fill('no such text');
  await page.evaluate(() => { location.hash = '#case/value/proto-key'; });
  await page.waitForFunction(() => !document.getElementById('case/value/proto-key').hidden);
  await page.close();

  const direct = await open(one, { fragment: '#case/message/argument-order' });
  const target = direct.locator('article:target');
  await target.waitFor();
  assert.ok(await target.evaluate((element) => element.getBoundingClientRect().top < innerHeight), 'the case is in view');
  assert.match(await target.locator('blockquote').innerText(), /message\/argument-order/);
  assert.match(await target.locator('.repeat').innerText(), /--case message\/argument-order/);
  assert.deepEqual(await target.locator('.wire mark').allInnerTexts(), ['"12"', 'differs']);
  const [suite, peer] = await Promise.all(['suite', 'peer'].map((lane) => target.locator(`.wire .${lane}`).first().boundingBox()));
  assert.ok(suite.x < peer.x, 'two lanes');
  await direct.close();
}

async function hostileText() {
  const page = await open(hostile);
  assert.equal(await page.locator('img, iframe, object, embed, main script, main style').count(), 0);
  assert.equal(await page.locator('script').count(), 1);
  assert.equal(await page.locator('a').evaluateAll((all) => all.filter((a) => !a.getAttribute('href').startsWith('#')).length), 0);
  const text = await page.locator('main').textContent();
  assert.ok(text.includes('<script>alert(1)</script>') && text.includes('\\u{202e}'), 'markup is shown as text');
  assert.doesNotMatch(await page.content(), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/);
  for (const link of await page.locator('.matrix .case th a').all()) {
    await link.click();
    await page.locator('article:target').waitFor();
  }
  await page.close();
}

async function printPhoneAndDark() {
  const paper = await open(several, { media: 'print', fragment: '#case/framing/half-close' });
  assert.ok(!await paper.locator('#filters').isVisible());
  await paper.evaluate(() => dispatchEvent(new Event('beforeprint')));
  assert.equal(await paper.locator('details.judged:not([open])').count(), 0, 'all findings are open on paper');
  await paper.evaluate(() => dispatchEvent(new Event('afterprint')));
  assert.notEqual(await paper.locator('details.judged:not([open])').count(), 0);
  await paper.close();

  for (const file of [one, several, hostile]) {
    const phone = await open(file, { viewport: { width: 360, height: 740 } });
    const wide = await phone.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `${file}: ${wide} px wide on a phone`);
    await phone.close();
  }
  const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const [light, dark] = [await open(one), await open(one, { scheme: 'dark' })];
  assert.notEqual(await background(light), await background(dark));
  await light.close();
  await dark.close();
}

async function pictures(folder) {
  const desktop = { width: 1280, height: 900 };
  const phone = { width: 390, height: 844 };
  const fragment = '#case/message/argument-order';
  for (const [name, file, options] of [
    ['several-light', several, { viewport: desktop }],
    ['several-dark', several, { viewport: desktop, scheme: 'dark' }],
    ['several-phone', several, { viewport: phone }],
    ['one-light', one, { viewport: desktop, fragment }],
    ['one-dark', one, { viewport: desktop, scheme: 'dark', fragment }],
    ['one-phone', one, { viewport: phone, fragment }],
    ['hostile', hostile, { viewport: desktop }],
  ]) {
    const page = await open(file, options);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    if (name.endsWith('light')) {
      await page.emulateMedia({ media: 'print' });
      await page.pdf({ path: join(folder, `${name}.pdf`), format: 'A4' });
    }
    const { loadEventEnd } = await page.evaluate(() => performance.getEntriesByType('navigation')[0].toJSON());
    console.log(`${name}: loaded after ${Math.round(loadEventEnd)} ms`);
    await page.close();
  }
}

try {
  await filters();
  await links();
  await hostileText();
  await printPhoneAndDark();
  if (process.env.SHOTS) await pictures(process.env.SHOTS);
  assert.deepEqual(said, []);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
