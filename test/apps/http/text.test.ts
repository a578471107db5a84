import { expect, test } from 'vitest';
import { escapePointer, findBadText } from '../../../apps/http/text.ts';
import { badText } from '../../../domain/shared/bad-text.ts';

test('a text that Postgres would refuse is found, and no other', () => {
  for (const text of ['a\0', '\ud800', 'a\udc00b']) expect(badText(text)).toMatch(/may not hold/);
  for (const text of ['', 'a', '🙂', '\u0001', '\ufeff']) expect(badText(text)).toBeNull();
});

test('it is found wherever it stands, and told by its pointer', () => {
  expect(findBadText({ a: [{ 'b/c~d': 'x\0' }] })?.pointer).toBe('/a/0/b~1c~0d');
  expect(findBadText('\0')?.pointer).toBe('');
  expect(findBadText({ a: { 'x\0': 1 } })).toMatchObject({
    pointer: '/a',
    detail: expect.stringContaining('name'),
  });
  for (const value of [null, 1, true, [], {}, { a: ['x', null, 1] }]) expect(findBadText(value)).toBeNull();
});

test('a pointer is escaped so that it can be read back', () => {
  for (const name of ['a', 'a/b', 'a~b', '~1', '~0', '/~/', ''])
    expect(escapePointer(name).replaceAll('~1', '/').replaceAll('~0', '~')).toBe(name);
});
