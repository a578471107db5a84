import { expect, test } from 'vitest';
import { fieldWords } from '../../../apps/http/field-words.ts';

test('each field is described in a sentence', () => {
  for (const [name, words] of Object.entries(fieldWords)) expect(words, name).toMatch(/^\S.*[.]$/);
});

test('a name with its object says something else than the bare name', () => {
  for (const [name, words] of Object.entries(fieldWords).filter(([of]) => of.includes('.')))
    expect(words, name).not.toBe(fieldWords[name.split('.')[1] ?? '']);
});
