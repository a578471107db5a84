import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Reason } from '../../domain/shared/reason.ts';
import { explainStored, isReason, reasons, reasonsByContext } from '../../domain/reasons.ts';
import { callFaults } from '../../domain/webhook/call-fault.ts';

/**
 * TypeScript refuses a code without an entry wherever it has a type. What has none is a reason written in SQL: by statements,
 * triggers and migrations. So the source is read too.
 */

const root = join(import.meta.dirname, '../..');
const sources = globSync('{apps,domain,infra,workers}/**/*.ts', {
  cwd: root,
  exclude: ['apps/sandbox/**'],
}).map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

const CODE = String.raw`'([a-z][a-z0-9-]*)'`;

/** Literal problem types: the second argument of each `new Problem(`. */
const problemTypes = new RegExp(String.raw`new Problem\(\s*[\w.]+,\s*${CODE}`, 'g');
/** What SQL assigns to a column `reason`, `disabled_reason` or `closed_reason`, literals of a `case` among it. */
const sqlReasons = [
  new RegExp(String.raw`\b(?:\w+_)?reason = ${CODE}`, 'g'),
  new RegExp(String.raw`\breason is (?:not )?distinct from ${CODE}`, 'g'),
  new RegExp(String.raw`\breason <> ${CODE}`, 'g'),
];
/** `disabled_reason in ('owner', 'gone', 'failing')`, and `(state, reason) = (select case …)`. */
const sqlLists = [/\breason (?:not )?in \(([^)]*)\)/g, /\(state, reason\) = \(select ([^\n]*)/g];

function found(text: string, patterns: readonly RegExp[]): string[] {
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code]) => code as string));
}

/** States, and words that are explained elsewhere: of a block (domain/pay/payout/ends.ts), of a session (domain/earn/traffic/words.ts). */
const notReasons: ReadonlySet<string> = new Set(['completed', 'expired', 'by-staff', 'address-data-old']);

describe('the catalogue of reasons', () => {
  test('has every type of problem that is written anywhere', () => {
    const written = sources.flatMap(({ path, text }) =>
      found(text, [problemTypes]).map((code) => ({ path, code })),
    );
    expect(written.length).toBeGreaterThan(50);
    expect(written.filter(({ code }) => !isReason(code) || !seenAs(code, 'problem'))).toEqual([]);
  });

  test('has every reason that SQL writes, triggers and migrations among it', () => {
    const written = sources.flatMap(({ path, text }) => {
      const single = found(text, sqlReasons);
      const listed = found(text, sqlLists).flatMap((list) => found(list, [new RegExp(CODE, 'g')]));
      return [...single, ...listed].filter((code) => !notReasons.has(code)).map((code) => ({ path, code }));
    });
    expect(new Set(written.map(({ code }) => code)).size).toBeGreaterThan(10);
    expect(written.filter(({ code }) => !isReason(code))).toEqual([]);
  });

  test('has all faults of calls', () => {
    expect(callFaults.filter((code) => !isReason(code))).toEqual([]);
  });

  test('gives each code one meaning: no two contexts define the same', () => {
    const codes = Object.values(reasonsByContext).flatMap((of) => Object.keys(of));
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
    expect(codes.toSorted()).toEqual(Object.keys(reasons).toSorted());
  });

  test.each(Object.entries(reasons) as [string, Reason][])(
    '%s: says what happened and what to do',
    (_code, reason) => {
      for (const text of [reason.meaning, reason.nextStep, reason.detail?.({}) ?? reason.meaning]) {
        expect(text).toMatch(/^[A-Z].*[^.]\.$/);
        expect(text).not.toMatch(/undefined|null|NaN| {2}/);
      }
      expect(reason.meaning).not.toBe(reason.nextStep);
      expect(reason.seen.length).toBeGreaterThan(0);
    },
  );

  test('of an attempt says nothing that is wrong where its job went on to another provider, or has ended', () => {
    const words = Object.entries(reasons as Record<string, Reason>).filter(([code]) =>
      seenAs(code, 'attempt'),
    );
    const assumes = /^Nothing yet|^[^.]*, then retry|(^|\. )A receiver of webhooks must/;
    expect(words.length).toBeGreaterThan(15);
    expect(words.filter(([, { nextStep }]) => assumes.test(nextStep)).map(([code]) => code)).toEqual([]);
  });

  test('of a missing scope says how a key gets one that no other key has', () => {
    expect(reasons['insufficient-scope'].nextStep).toContain(
      'npm run navbat -- key create <project> --scopes messages,critical',
    );
  });

  test('of a send that no channel takes names the routes of SMS too', () => {
    expect(reasons['no-channel'].nextStep).toContain('sms_routes');
  });

  test('of a code that it does not know it says nothing', () => {
    expect(explainStored('toString')).toBeNull();
    expect(explainStored('of-another-version')).toBeNull();
    expect(explainStored(null)).toBeNull();
  });
});

const seenAs = (code: string, place: Reason['seen'][number]) =>
  isReason(code) && (reasons[code] as Reason).seen.includes(place);
