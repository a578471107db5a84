import { expect, test } from 'vitest';
import { z } from 'zod';
import { channelRules } from '../../../domain/verify/channel.ts';
import { SettingsChange } from '../../../domain/settings.ts';
import { verifySettings } from '../../../domain/verify/settings.ts';

const settings = z.object(verifySettings);
const takes = (change: object) => settings.safeParse(change).success;

test('a project that sets nothing tries what costs nothing first', () => {
  const costs = settings.parse({}).channels.map((channel) => channelRules[channel].reservedMicros);
  expect(costs).toEqual(costs.toSorted((a, b) => a - b));
});

test('each limit is taken up to its ends, and not beyond', () => {
  const limits: readonly [keyof typeof verifySettings, number, number][] = [
    ['sms_daily_budget_micros', 0, Number.MAX_SAFE_INTEGER],
    ['publishable_budget_percent', 0, 100],
    ['sends_per_hour', 1, 100],
  ];
  for (const [name, least, most] of limits) {
    for (const value of [least, most]) expect(takes({ [name]: value }), `${name} ${value}`).toBe(true);
    for (const value of [least - 1, most + 1, least + 0.5, `${least}`, null])
      expect(takes({ [name]: value }), `${name} ${value}`).toBe(false);
  }
});

test('no country at all is a choice, and no channel at all is none', () => {
  expect(takes({ sms_countries: [] })).toBe(true);
  expect(takes({ sms_countries: ['UZ', 'uz'] })).toBe(false);
  expect(takes({ channels: [] })).toBe(false);
  expect(takes({ channels: ['fax'] })).toBe(false);
});

test('a site is a host as browsers read it, and nothing else', () => {
  for (const host of ['example.com', 'login.bank.uz', 'a-b.co', 'xn--80a.xn--p1ai', `${'x'.repeat(60)}.com`])
    expect(takes({ sms_web_origin: host }), host).toBe(true);
  for (const host of [
    'https://example.com',
    'example.com/',
    'example.com:443',
    'Example.com',
    '@example.com',
    'example.com #123456',
    'example.com\n',
    'пример.рф',
    'localhost',
    '127.0.0.1',
    '-a.com',
    'a..com',
    '.com',
    'example.com.',
    '',
    `${'x'.repeat(61)}.com`,
  ])
    expect(takes({ sms_web_origin: host }), host).toBe(false);
});

test('a site that no name becomes is refused, and read where it was stored before that was checked', () => {
  const changes = (host: string) => SettingsChange.safeParse({ sms_web_origin: host }).success;
  for (const host of ['example.com', 'xn--80a.xn--p1ai', 'xn--80ak6aa92e.com', 'ab--cd.com'])
    expect(changes(host), host).toBe(true);
  for (const host of ['xn--a.uz', 'www.xn--a.uz', 'a.xn--zz', 'xn--a-.com', 'Example.com']) {
    expect(changes(host), host).toBe(false);
  }
  expect(SettingsChange.safeParse({ sms_web_origin: null }).success).toBe(true);
  expect(takes({ sms_web_origin: 'xn--a.uz' })).toBe(true);
});

test('an app is named by the eleven characters that Google’s SMS Retriever knows it by', () => {
  expect(takes({ sms_app_hash: 'FA+9qCX9VSu' })).toBe(true);
  for (const hash of ['FA+9qCX9VS', 'FA+9qCX9VSu=', 'FA-9qCX9VSu', 'FA+9qCX9VS\n', '', 1])
    expect(takes({ sms_app_hash: hash }), String(hash)).toBe(false);
});
