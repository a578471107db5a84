import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { assessAddress } from '../../../../domain/earn/address/assess.ts';
import {
  type AddressClass,
  addressClasses,
  type DatabaseFacts,
} from '../../../../domain/earn/address/class.ts';
import { addressRules, earnSettings } from '../../../../domain/earn/settings.ts';

const now = new Date('2026-11-30T10:00:00Z');
const daysOld = (days: number, ms = 0) => new Date(now.getTime() - days * 86_400_000 - ms);
const settings = z.object(earnSettings);
const presets = addressRules(settings.parse({}));
const assess = (facts: DatabaseFacts, dataAt: Date | null = daysOld(1), rules = presets) =>
  assessAddress({ listed: null, facts, isCarrierNat: false, dataAt }, rules, now);

describe('where the project says nothing', () => {
  test.each([
    [{ connectionType: 'Cable/DSL' }, 'pay', null],
    [{ connectionType: 'Cellular' }, 'pay', null],
    [{}, 'pay', null],
    [{ isHosting: true }, 'unpaid', 'address-hosting'],
    [{ isVpn: true }, 'review', 'address-vpn-or-proxy'],
    [{ isTorExit: true }, 'unpaid', 'address-tor'],
  ] as const)('an address of which databases say %j is %s', (facts, verdict, reason) => {
    expect(assess(facts)).toMatchObject({ verdict, reason });
  });
});

test.each(addressClasses)('the project says what becomes of the class %s', (of) => {
  const facts: Readonly<Record<AddressClass, DatabaseFacts>> = {
    residential: { userType: 'residential' },
    mobile: { userType: 'cellular' },
    hosting: { isHosting: true },
    'vpn-or-proxy': { isVpn: true },
    tor: { isTorExit: true },
    unknown: {},
  };
  const name = `address_${of.replaceAll('-', '_')}`;
  for (const verdict of ['pay', 'review', 'unpaid'] as const) {
    const rules = addressRules(settings.parse({ address_mobile: 'review', [name]: verdict }));
    expect(assess(facts[of], daysOld(1), rules)).toMatchObject({
      class: of,
      verdict,
      reason: verdict === 'pay' ? null : `address-${of}`,
    });
  }
});

describe('data', () => {
  test.each([
    ['thirty days old decides', daysOld(30), 'pay', null],
    ['a millisecond older says review', daysOld(30, 1), 'review', 'address-data-old'],
    ['31 days old says review', daysOld(31), 'review', 'address-data-old'],
    ['of tomorrow decides', daysOld(-1), 'pay', null],
  ] as const)('%s', (_what, dataAt, verdict, reason) => {
    expect(assess({ connectionType: 'Cellular' }, dataAt)).toMatchObject({
      verdict,
      reason,
      class: 'mobile',
    });
  });

  test('that is old refuses nobody either', () => {
    expect(assess({ isTorExit: true }, daysOld(31))).toMatchObject({
      verdict: 'review',
      reason: 'address-data-old',
    });
  });

  test('is not asked where every class is paid', () => {
    const all = Object.fromEntries(
      Object.keys(presets).map((one) => [one, 'pay']),
    ) as unknown as typeof presets;
    expect(assess({ isTorExit: true }, daysOld(31), all)).toMatchObject({ verdict: 'pay', reason: null });
  });

  test('is not there: the class is unknown, and the project says what becomes of it', () => {
    expect(assess({}, null)).toMatchObject({ class: 'unknown', verdict: 'pay', reason: null });
    const strict = addressRules(settings.parse({ address_unknown: 'review' }));
    expect(assess({}, null, strict)).toMatchObject({ verdict: 'review', reason: 'address-unknown' });
  });
});
