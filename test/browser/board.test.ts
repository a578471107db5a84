import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBoard, type OpenBoard, type SessionOwner } from '../apps/board/open-board.ts';
import { seedJob, seedProject } from '../apps/board/seed.ts';
import { addEntries } from '../../infra/queue/entries.ts';
import { openChromium } from './chromium.ts';

/** What staff see is what a browser makes of markup and stylesheet together. `SHOTS=<folder>` keeps pictures. */

const MINUTE_MS = 60_000;

let board: OpenBoard;
let browser: Browser;
let context: BrowserContext;
let operator: SessionOwner;
let failedId: string;
beforeAll(async () => {
  board = await openBoard();
  browser = await openChromium();
  operator = await board.session('operator');
  const shop = await seedProject(board.pool, 'shop');
  const hash = board.addressHash('+998901234567');
  const at = new Date(board.time.now.getTime() - MINUTE_MS);
  const failed = { channel: 'sms', provider: 'twilio', outcome: 'failed', reason: 'network' } as const;
  const seed = (job: Partial<Parameters<typeof seedJob>[3]>) =>
    seedJob(board.pool, shop, hash, { project: 'shop', at, ...job });
  const waiting = await seed({});
  await seed({
    state: 'retrying',
    attempts: [failed],
    runAt: new Date(board.time.now.getTime() + MINUTE_MS),
  });
  for (let n = 0; n < 12; n++) await seed({ state: 'failed', reason: 'network', attempts: [failed] });
  failedId = (await seed({ state: 'rejected', reason: 'budget-spent' })).id;
  await board.pool.query(
    `insert into queue (kind, paused_at, paused_by, paused_reason) values ('push', now(), 'ops@navbat.example', 'FCM is down')`,
  );
  const labels = { project: 'shop', channels: 'sms', to: '+998•••••••67' };
  await addEntries(board.queues, [{ jobId: waiting.id, kind: 'otp-send', labels, runAt: at }], at);
  context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
  await context.addCookies([{ name: 'navbat_staff', value: operator.token, url: board.url }]);
});
afterAll(async () => {
  await browser.close();
  await board.close();
});

async function open(path: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(board.url + path, { waitUntil: 'networkidle' });
  const shots = process.env['SHOTS'];
  if (shots) {
    mkdirSync(shots, { recursive: true });
    const name = path.replaceAll(/\W+/g, '-').slice(0, 40) || 'root';
    await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  }
  return page;
}

/** The colours that a reader sees of each thing that a selector finds: of its innermost text. */
async function coloursOf(
  page: Page,
  selector: string,
  token: string,
): Promise<{ seen: string[]; meant: string }> {
  // As text, since only the page knows these names.
  return page.evaluate(`(() => {
    const probe = document.createElement('span');
    probe.style.color = 'var(${token})';
    document.body.append(probe);
    const meant = getComputedStyle(probe).color;
    probe.remove();
    return { seen: [...document.querySelectorAll('${selector}')].map((one) => getComputedStyle(one).color), meant };
  })()`);
}

describe('an alarm is seen', () => {
  test.each([
    ['the number in an alarming tile, link or not', '.tile.alarm dd, .tile.alarm dd a', '--bad'],
    ['the number in a tile that warns', '.tile.careful dd, .tile.careful dd a', '--warn'],
    ['a line of the alarms', 'tr.alarm th', '--bad'],
    ['a count of failed jobs in a table', 'td.failed a, td.rejected a', '--bad'],
  ])('%s has its colour', async (_what, selector, token) => {
    const page = await open('/ops');
    const { seen, meant } = await coloursOf(page, selector, token);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.filter((colour) => colour !== meant)).toEqual([]);
    await page.close();
  });

  test('a job that sleeps until its next try reads as one that is retried', async () => {
    const page = await open('/ops/jobs?state=retrying');
    const { seen, meant } = await coloursOf(page, '.state.retrying', '--warn');
    expect(seen).toEqual([meant]);
    await page.close();
  });
});

test("a job's page says what happened, by which setting and what to do next", async () => {
  const page = await open(`/ops/jobs/${failedId}`);
  const said = await page.locator('main').innerText();
  for (const words of ['daily budget', 'sms_daily_budget_micros', 'Next step']) expect(said).toContain(words);
  await page.close();
});

test('a pause is two steps, and the second asks why', async () => {
  const page = await open('/ops/queues');
  await page.locator('a[href="/ops/queues/otp-send/pause"]').click();
  await page.getByRole('button', { name: 'Pause otp-send' }).click();
  expect((await board.pool.query(`select from queue where kind = 'otp-send'`)).rowCount).toBe(0);
  await page.getByLabel('Why').fill('somebody pumps SMS');
  await page.getByRole('button', { name: 'Pause otp-send' }).click();
  await page.waitForURL(/notice=paused/);
  expect(await page.locator('main').innerText()).toContain('somebody pumps SMS');
  await page.close();
});

test('the catalogue opens at the code that a page links to', async () => {
  const page = await open(`/ops/jobs/${failedId}`);
  await page.locator('a.reason').first().click();
  await page.waitForURL(/\/docs\/problems#budget-spent/);
  expect(await page.locator('article:target').innerText()).toContain('sms_daily_budget_micros');
  await page.close();
});

test('Bull Board shows its queues, and no button that would be refused', async () => {
  const page = await open('/queue/otp-send?status=waiting');
  await page.getByText('shop · sms').first().waitFor();
  const buttons = await page.locator('button').allInnerTexts();
  const titles = await page
    .locator('button[title]')
    .evaluateAll((all) => all.map((one) => one.getAttribute('title')));
  expect([...buttons, ...titles].join(' ')).not.toMatch(
    /promote|retry|clean|pause|obliterate|empty|add job|duplicate/i,
  );
  await page.close();
});
