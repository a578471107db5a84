import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { navbatCommand } from '../../../support/command-line.ts';
import { type Finance, type FinanceBoard, openFinanceBoard } from '../../board/pay/finance-board.ts';

let board: FinanceBoard;
let directory: string;
let maker: Finance;
let checker: Finance;
beforeAll(async () => {
  board = await openFinanceBoard();
  directory = await mkdtemp(join(tmpdir(), 'finance-'));
  [maker, checker] = [await board.member('finance'), await board.member('finance')];
});
afterAll(async () => {
  await board.close();
  await rm(directory, { recursive: true });
});

/** As it is typed, with nothing of the installation in the environment. */
async function finance(by: Finance, ...args: readonly string[]) {
  const file = join(directory, by.id);
  await writeFile(file, `${by.token}\n`);
  return navbatCommand(['finance', '--url', board.url, '--token-file', file, ...args], {}, '');
}
const json = async (...of: Parameters<typeof finance>) => {
  const { code, out, err } = await finance(...of);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out);
};

test('a batch goes from nothing to running by two people, who type no version', async () => {
  const payouts = [await board.pending(2_000_000n), await board.pending(3_000_000n)];
  const file = join(directory, 'payouts.txt');
  await writeFile(file, payouts.join('\n'));
  const { id } = await json(maker, 'create', 'multicard', 'Drivers');
  expect(await json(maker, 'add', id, '--payouts', file)).toMatchObject({ added: 2, version: 2 });
  expect((await json(maker, 'risk', id)).first_payouts).toEqual({ count: 2, total: '5000000' });
  expect(await json(maker, 'submit', id)).toMatchObject({ state: 'submitted' });
  expect((await json(checker, 'inbox')).data[0]).toMatchObject({ id, may: true });
  board.time.now = new Date(board.time.now.getTime() + 30_000);
  const code = await checker.app.freshCode(board.time.now);
  const wrong = await finance(checker, 'approve', id, '--total', '5000001', '--code', code);
  expect([wrong.code, wrong.err.trim()]).toEqual([
    1,
    'The batch pays 5000000 tiyin, and not 5000001. Read it again.',
  ]);
  const approved = await json(checker, 'approve', id, '--total', '5000000', '--code', code);
  expect(approved).toMatchObject({ state: 'approved' });
  expect(await json(maker, 'run', id)).toMatchObject({ state: 'running' });
  expect(await json(checker, 'pause', id, '--reason', 'a look')).toMatchObject({ state: 'paused' });
});

test('lists are read, and a link that nobody waits for is refused with what to do', async () => {
  expect(await json(maker, 'lists')).toMatchObject({ data: expect.any(Array), next_after: null });
  const none = '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21';
  const lines = await finance(maker, 'lines', none);
  expect([lines.code, lines.err]).toEqual([1, expect.stringContaining('There is no such list.')]);
  const bound = await finance(maker, 'link', await board.pending(2_000_000n));
  expect([bound.code, bound.err]).toEqual([
    1,
    expect.stringMatching(/^link-not-sent: The payout waits for no card/),
  ]);
  const pending = await board.pending(2_000_000n);
  expect(await json(maker, 'cancel', pending, '--reason', 'asked for twice')).toMatchObject({
    state: 'cancelled',
  });
});

test('a refusal is one sentence with its type and what to do, and a board that is away is told', async () => {
  const none = '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21';
  const unknown = await finance(maker, 'submit', none);
  expect([unknown.code, unknown.err]).toEqual([
    1,
    expect.stringMatching(/^not-found: There is no such batch\. /),
  ]);
  const { id } = await json(maker, 'create', 'multicard', 'Refused');
  const payouts = join(directory, 'blocked.txt');
  await writeFile(payouts, none);
  const missing = await finance(maker, 'add', id, '--payouts', payouts);
  expect(missing.err.split('\n')).toContain(`payout_id: ${none}`);
  const wrong = await finance(maker, 'add', id, '--amount-max', 'all');
  expect(wrong.err).toMatch(/^\/filter\/amount_max: .*expected/m);
  const file = join(directory, maker.id);
  const away = await navbatCommand(
    ['finance', '--url', 'http://127.0.0.1:9', '--token-file', file, 'inbox'],
    {},
    '',
  );
  expect([away.code, away.err.trim()]).toEqual([1, 'The board at http://127.0.0.1:9 does not answer.']);
});
