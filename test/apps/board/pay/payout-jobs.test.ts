import { afterAll, beforeAll, expect, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { addEntries } from '../../../../infra/queue/entries.ts';
import { dispatchWorldOn } from '../../../infra/postgres/pay/dispatch-world.ts';
import { rowEncryption } from '../../../../infra/process/crypto.ts';
import { type OpenBoard, openBoard, type SessionOwner } from '../open-board.ts';

/** Tokens of cards, and amounts in tiyin, with the fee and without. */
const SECRET = /sim\d|1234500|1230000|12345\.00/;

let board: OpenBoard;
let operator: SessionOwner;
let admin: SessionOwner;
const jobIds: string[] = [];
beforeAll(async () => {
  board = await openBoard({ env: { NAVBAT_PRODUCTS: 'message,pay', MONEY_PROJECT: PLATFORM_PROJECT_ID } });
  operator = await board.session('operator');
  admin = await board.session('admin');
  await board.pool.query('select ledger_book_open($1)', [PLATFORM_PROJECT_ID]);
  const ring = { current: 'k1', keys: new Map([['k1', Buffer.alloc(32, 7)]]) };
  const world = await dispatchWorldOn({
    pool: board.pool,
    owner: board.owner,
    projectId: PLATFORM_PROJECT_ID,
    encryption: rowEncryption(ring),
  });
  const { id } = await world.batch(2);
  await world.start();
  jobIds.push(...(await world.dispatches(id)).map((each) => each.job_id));
  const { rows } = await board.pool.query(
    `select id as "jobId", kind, labels, run_at as "runAt" from job where kind = 'payout'`,
  );
  await addEntries(board.queues, rows, new Date());
  await board.pool.query(
    `update job set state = 'rejected', reason = 'payout-failed', finished_at = now() where id = $1`,
    [jobIds[0]],
  );
});
afterAll(() => board.close());

test('pages of staff show nothing of a payment that pays it, and offer nothing but to look', async () => {
  for (const id of jobIds) {
    const page = (await operator.get(`/ops/jobs/${id}`).expect(200)).text;
    expect(page).toContain(id);
    expect(page).not.toMatch(/<button[^>]*>[^<]*(retry|promote|cancel)/i);
    expect(page).not.toMatch(SECRET);
  }
});

test.each(['retry', 'promote', 'cancel'])(
  'nobody may %s a payment from a board, not an admin either',
  async (command) => {
    for (const [asker, id] of [operator, admin].flatMap((each) =>
      jobIds.map((one) => [each, one] as const),
    )) {
      const before = await board.pool.query('select * from job where id = $1', [id]);
      const answer = await asker.postJson(`/ops/jobs/${id}/${command}`, {});
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect((await board.pool.query('select * from job where id = $1', [id])).rows).toEqual(before.rows);
    }
  },
);

test('a retry of all failures leaves payments out', async () => {
  const dry = await operator.json('/ops/retry?reason=payout-failed&hours=1');
  expect(JSON.stringify(dry)).not.toContain(jobIds[0]);
  await operator.postJson('/ops/retry', { reason: 'payout-failed', hours: 1 });
  const { rows } = await board.pool.query('select state from job where id = $1', [jobIds[0]]);
  expect(rows).toEqual([{ state: 'rejected' }]);
});

test('Bull Board shows its entries by their labels alone', async () => {
  const shown = await Promise.all(
    ['waiting', 'prioritized', 'active', 'delayed', 'latest'].map(
      async (status) =>
        (await operator.get(`/api/queues?activeQueue=payout&status=${status}&page=1`).expect(200)).text,
    ),
  );
  expect(shown.join('')).toContain('•••• 1234');
  expect(shown.join('')).not.toMatch(SECRET);
});
