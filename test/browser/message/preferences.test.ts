import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Navbat, startNavbat, type TestProject } from '../../support/navbat.ts';
import { openChromium } from '../chromium.ts';

/** A person's own page, as their phone shows it. `SHOTS=<folder>` keeps pictures. */

let navbat: Navbat;
let project: TestProject;
let browser: Browser;
const faults: string[] = [];

beforeAll(async () => {
  navbat = await startNavbat({ processes: ['api'] });
  project = await navbat.createProject({
    settings: {
      display_name: 'Shop <b>"&',
      message_categories: [
        { name: 'service', titles: { uz: 'Buyurtmalar', en: 'Orders' } },
        { name: 'news', titles: { uz: 'Yangiliklar' }, marketing: true },
      ],
    },
  });
  browser = await openChromium();
});
afterAll(async () => {
  await browser.close();
  await navbat.stop();
});

async function open(locale: string): Promise<{ page: Page; recipientId: string }> {
  const { body } = await project.call('PUT', '/recipients', { handle: `user-${locale}`, locale });
  const preferences = await project.call('GET', `/recipients/${body.id}/preferences`);
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  page.on('console', (message) => faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(navbat.apiUrl + new URL(preferences.body.preferences_url).pathname);
  return { page, recipientId: body.id };
}

async function shoot(page: Page, name: string): Promise<void> {
  const shots = process.env['SHOTS'];
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `preferences-${name}.png`), fullPage: true });
}

const stored = async (recipientId: string) =>
  (await project.call('GET', `/recipients/${recipientId}/preferences`)).body;

test.each([
  ['uz', 'Saqlash', 'Saqlandi.', 'Yangiliklar'],
  ['ru', 'Сохранить', 'Сохранено.', 'news'],
  ['en', 'Save', 'Saved.', 'news'],
])(
  'in %s a person switches a category off, sets quiet hours, and sees it saved',
  async (locale, save, saved, news) => {
    const { page, recipientId } = await open(locale);
    expect(await page.locator('html').getAttribute('lang')).toBe(locale);
    expect(await page.locator('h1').innerText()).toContain('Shop <b>"&');
    await shoot(page, `${locale}-first`);
    expect(await page.getByLabel(news).isChecked()).toBe(true);
    await page.getByLabel(news).uncheck();
    await page.locator('input[name=quiet]').check();
    await page.locator('input[name=from]').fill('21:30');
    await page.locator('input[name=zone]').fill('Asia/Samarkand');
    await page.getByRole('button', { name: save }).click();
    expect(await page.getByRole('status').innerText()).toBe(saved);
    await shoot(page, `${locale}-saved`);
    expect(await page.getByLabel(news).isChecked()).toBe(false);
    expect(await stored(recipientId)).toMatchObject({
      opted_out: false,
      categories: { service: true, news: false },
      quiet_hours: { from: '21:30', to: '08:00' },
      time_zone: 'Asia/Samarkand',
      changed_by: 'page',
    });
    // What overflows a phone's width would be cut off there.
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);

    await page.locator('input[name=zone]').fill('Nowhere/At All');
    await page.getByRole('button', { name: save }).click();
    await page.getByRole('alert').waitFor();
    // As it was typed, and it keeps nobody from leaving.
    expect(await page.locator('input[name=zone]').inputValue()).toBe('Nowhere/At All');
    await page.locator('input[name=none]').check();
    await page.getByRole('button', { name: save }).click();
    await page.getByRole('alert').waitFor();
    expect((await stored(recipientId)).opted_out).toBe(true);
    await page.locator('input[name=zone]').fill('Asia/Samarkand');
    await page.getByRole('button', { name: save }).click();
    await page.getByRole('status').waitFor();
    expect(await stored(recipientId)).toMatchObject({ opted_out: true, time_zone: 'Asia/Samarkand' });
    await page.close();
  },
);

test('the browser met no fault, and no rule of the policy was broken', () => {
  expect(faults.filter((text) => !text.includes('status of 400'))).toEqual([]);
});
