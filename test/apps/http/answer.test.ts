import { expect, test } from 'vitest';
import { asProblem } from '../../../apps/http/answer.ts';

const failure = (code: string) => Object.assign(new Error('as Postgres says it'), { code });

test.each(['08000', '08001', '08003', '08004', '08006', '57P01', '57P03', '53300', 'ECONNREFUSED'])(
  'a database that is away (%s) is a 503: the request may be sent again',
  (code) => {
    expect(asProblem(failure(code))).toMatchObject({ status: 503, type: 'unavailable' });
  },
);

test.each(['08P01', '42601', '23505', '22P02'])('what we did wrong (%s) is a 500', (code) => {
  expect(asProblem(failure(code))).toMatchObject({ status: 500, type: 'internal' });
});
