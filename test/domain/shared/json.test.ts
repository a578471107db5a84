import { expect, test } from 'vitest';
import { parseJson } from '../../../domain/shared/json.ts';

test('what is no JSON throws nothing, and a null that is written is not taken for it', () => {
  for (const text of ['', '{', "{'a':1}", 'undefined', 'NaN', '{"a":1}x'])
    expect(parseJson(text), text).toBeUndefined();
  expect(parseJson('null')).toBeNull();
  expect(parseJson(' {"a":[1]} ')).toEqual({ a: [1] });
});
