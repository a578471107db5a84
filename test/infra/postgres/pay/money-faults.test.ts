import { afterAll, beforeAll, expect, test } from 'vitest';
import { moneyRefusalOf } from '../../../../infra/postgres/pay/money-faults.ts';
import { openGround } from '../world.ts';

let ground: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());

/** As a function of money raises it. */
const raised = (code: string, detail: string): Promise<unknown> =>
  ground.owner
    .query(`do $$ begin raise exception 'refused' using errcode = '${code}', detail = '${detail}'; end $$`)
    .catch((error: unknown) => error);

test.each([
  ['NB001', '', { kind: 'insufficient' }],
  ['NB010', 'batched', { kind: 'payout-state', state: 'batched' }],
  ['NB011', 'destination-new', { kind: 'not-payable', because: 'destination-new' }],
  ['NB020', '', { kind: 'stale-version' }],
  ['NB023', 'stale', { kind: 'proof', because: 'stale' }],
  ['NB027', 'running', { kind: 'batch-state', state: 'running' }],
  ['NB030', 'paid', { kind: 'arrow', state: 'paid' }],
  ['NB031', '', { kind: 'stopped' }],
  ['NB031', 'difference', { kind: 'rail-differs' }],
  ['NB031', 'otp', { kind: 'rail-otp' }],
  ['NB033', '', { kind: 'settle-later' }],
  ['NB034', 'a@example.com', { kind: 'approval-gone', who: 'a@example.com' }],
  ['55P03', '', { kind: 'busy' }],
  ['40P01', '', { kind: 'busy' }],
  ['40001', '', { kind: 'busy' }],
])('what is raised as %s with "%s" is told', async (code, detail, refusal) => {
  expect(moneyRefusalOf(await raised(code, detail))).toEqual(refusal);
});

test('which payout and line it is of is told by the hint that our functions write, and no other', async () => {
  const of = async (hint: string) =>
    moneyRefusalOf(
      await ground.owner
        .query(`do $$ begin raise exception 'refused' using errcode = 'NB024', hint = ${hint}; end $$`)
        .catch((error: unknown) => error),
    );
  const id = '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21';
  const kind = 'content-differs';
  expect(await of(`payout_refused_of('${id}', 7)`)).toEqual({ kind, of: { payoutId: id, line: 7 } });
  expect(await of(`payout_refused_of('${id}')`)).toEqual({ kind, of: { payoutId: id } });
  expect(await of(`'Look again.'`)).toEqual({ kind });
});

test('what no refusal is, is none', async () => {
  expect(moneyRefusalOf(await raised('NB009', ''))).toBeNull();
  expect(moneyRefusalOf(await raised('23505', ''))).toBeNull();
  expect(moneyRefusalOf(new Error('NB001'))).toBeNull();
});

test('a word that no list has is a fault of ours', async () => {
  const error = await raised('NB011', 'because');
  expect(() => moneyRefusalOf(error)).toThrow('because');
});
