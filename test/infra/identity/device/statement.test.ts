import { expect, test } from 'vitest';
import { statementBytes, statementJson, statementOf } from '../../../../infra/identity/device/statement.ts';

test('the bytes do not depend on the order of members, and are RFC 8785’s', () => {
  expect(statementJson({ b: 1, a: { d: [1e21, -0], c: 'Oʻz\n' } })).toBe(
    '{"a":{"c":"Oʻz\\n","d":[1e+21,0]},"b":1}',
  );
  expect(statementBytes('navbat-device-v1', { b: 1, a: 2 })).toBe(
    statementBytes('navbat-device-v1', { a: 2, b: 1 }),
  );
});

test('a signature of one sort serves as none of another: the first line says which', () => {
  const statement = { a: 1 };
  const all = (['navbat-approval-v1', 'navbat-device-v1', 'navbat-sign-in-v1'] as const).map((line) =>
    statementBytes(line, statement),
  );
  expect(new Set(all).size).toBe(3);
  expect(all[0]).toBe('navbat-approval-v1\n{"a":1}');
  expect(statementOf('navbat-approval-v1', statementJson(statement))).toBe(all[0]);
});

test('what has no canonical JSON is a fault of ours, and never signed as something else', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  for (const statement of [{ a: Number.NaN }, { a: Infinity }, { a: '\ud800' }, circle])
    expect(() => statementBytes('navbat-device-v1', statement)).toThrow(/./);
});
