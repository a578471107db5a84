import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { openingProof } from '../../infra/postgres/pay/proofs.ts';
import { dice } from '../support/dice.ts';
import { until } from '../../support/navbat.ts';
import { FinancePerson } from './paying/installation.ts';
import { audit } from './payout/auditor.ts';
import { installPaying, type PayInstallation } from './payout/processes/installation.ts';
import { makeBatches, makeHands } from './payout/stage.ts';

const SEED = 20_261_129;
const ITEMS = 200;
/** Of both workers together, between a claim and a known end. */
const IN_HAND = 32;
/** Slow enough that calls wait for their place. */
const ANSWER_MS = 400;
/** A call that is committed begins within this. */
const BEGINS_WITHIN_MS = 1_000;
/** Much longer than a worker looks away from a rail that is stopped. */
const LOOK_ON_MS = 30_000;
const WAIT_MS_MAX = 300_000;

interface Begin {
  readonly t: string;
  readonly at: number;
  readonly method?: string;
  readonly path?: string;
}

async function installed(): Promise<PayInstallation> {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-stop-'));
  await chmod(directory, 0o711);
  const at = await installPaying(directory);
  onTestFinished(async () => {
    await at.close();
    await rm(directory, { recursive: true, force: true });
  });
  return at;
}

/** When each call began that drafts or confirms, by the log that the rail writes before it answers. */
const begunAt = async ({ railLog }: PayInstallation): Promise<readonly number[]> =>
  (await readFile(railLog, 'utf8'))
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Begin)
    .flatMap(({ t, at, method, path }) =>
      t === 'begin' && (method === 'POST' || method === 'PUT') && path?.startsWith('/payment/credit')
        ? [at]
        : [],
    );

const countOf = async ({ owner }: PayInstallation, states: readonly string[]): Promise<number> =>
  (
    await owner.query<{ n: number }>('select count(*)::int n from payout_dispatch where state = any ($1)', [
      states,
    ])
  ).rows[0]?.n ?? 0;

test('a second after the 200 of a stop no POST and no PUT begins at the rail, with 32 in hand of two workers', async () => {
  const at = await installed();
  const hands = await makeHands(at.owner);
  await makeBatches(at.owner, at.encryption, hands, [{ seed: SEED, dice: dice(SEED) }], {
    items: ITEMS,
    linesMax: ITEMS,
  });
  const boardUrl = await at.startBoard();
  const home = at.env['NAVBAT_HOME'] ?? '';
  const finance = await FinancePerson.create(
    { home, env: at.env, boardUrl },
    'stop@example.com',
    () => new Date(),
  );
  await finance.logIn();
  await at.start();
  await fetch(`${at.railUrl}/control/settings`, {
    method: 'PUT',
    body: JSON.stringify({ answer_ms: ANSWER_MS }),
  });
  const inHand = () => countOf(at, ['drafting', 'drafted', 'confirming', 'unknown', 'asking']);
  const isBusy = async () => (await inHand()) >= IN_HAND && (await begunAt(at)).length >= IN_HAND;
  await until(isBusy, WAIT_MS_MAX);

  const answer = await finance.try('POST', '/finance/rails/multicard/stop', { reason: 'look' });
  const answeredMs = Date.now();
  expect(answer.status).toBe(200);
  await sleep(LOOK_ON_MS);
  const begun = await begunAt(at);
  expect(begun.filter((ms) => ms <= answeredMs).length).toBeGreaterThanOrEqual(IN_HAND);
  expect(begun.filter((ms) => ms > answeredMs + BEGINS_WITHIN_MS)).toEqual([]);
  expect(await countOf(at, ['waiting', 'drafted'])).toBeGreaterThan(0);

  const openedMs = Date.now();
  await at.owner.query(`select rail_open_ask('multicard', $1, 'looked')`, [hands.maker]);
  const proof = await openingProof(at.owner, hands.other, 'multicard');
  await at.owner.query(`select rail_open_agree('multicard', $1, $2)`, [hands.other, proof]);
  const done = () => at.owner.query(`select from payout_batch where state = 'done'`);
  await until(async () => (await done()).rowCount === 1, WAIT_MS_MAX);
  const verdict = await audit({ ...at, stops: [{ answeredMs, openedMs }] });
  expect(verdict).toMatchObject({ items: ITEMS, applied: ITEMS, paidTwice: 0, lost: 0, problems: [] });
});
