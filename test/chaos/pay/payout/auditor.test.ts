import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CardRail } from '../../../../domain/pay/rail/port.ts';
import { temporaryDirectory } from '../../../apps/sandbox/support.ts';
import { openPayoutWorld } from '../../../workers/pay/payout-world.ts';
import { audit } from './auditor.ts';

interface Line {
  t: string;
  uuid?: string;
  reference?: string;
  total?: number;
  at?: number;
  card?: string;
}

test('the auditor sees each fault that is planted in the log of the rail or in the tables', async () => {
  const world = await openPayoutWorld();
  const batch = await world.batch(6);
  await world.start();
  const [declined, back] = batch.payees;
  world.box.orderFaults(
    { effect: 'decline', on: 'draft', card: declined?.card ?? '' },
    { effect: 'revert', on: 'confirm', card: back?.card ?? '', after_ms: 0 },
  );
  // Nobody hears of a confirmation; each is asked about.
  const confirm: CardRail['confirm'] = async (...args) => {
    await world.rail.confirm(...args);
    return { kind: 'unknown', why: 'timeout' };
  };
  await world.drain([world.worker({ rail: { ...world.rail, confirm } })]);
  await world.rounds.finishBatches();
  await world.box.flush();

  const text = await readFile(world.box.logPath, 'utf8');
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const directory = await temporaryDirectory();
  let files = 0;
  const audited = async (changed: readonly Line[], more: Partial<Parameters<typeof audit>[0]> = {}) => {
    const railLog = join(directory, `${(files += 1)}.jsonl`);
    await writeFile(railLog, changed.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return audit({ owner: world.owner, railLog, ...more });
  };
  const names = ({ problems }: { problems: readonly string[] }) =>
    problems.map((problem) => problem.replace(/:.*/, '')).toSorted((a, b) => a.localeCompare(b));

  expect(await audited(lines)).toEqual({
    items: 6,
    applied: 5,
    calls: expect.any(Number),
    paidTwice: 0,
    lost: 0,
    exposedMax: expect.any(Number),
    problems: [],
  });

  const paid = lines.find(({ t, card }) => t === 'paid' && card !== back?.card);
  if (!paid) throw new Error('nothing was paid');
  const sums = 'more left by the rail than by the ledger, or less';
  const doubled = await audited([...lines, paid]);
  expect(doubled).toMatchObject({ paidTwice: 1, lost: 0 });
  expect(names(doubled)).toEqual([sums, 'paid twice']);

  const again = { ...paid, uuid: 'another', reference: paid.reference?.replace(/-1$/, '-2') ?? '' };
  const unknown = await audited([...lines, again]);
  expect(unknown).toMatchObject({ paidTwice: 0, lost: 1 });
  expect(names(unknown)).toContain('in the log, and not said to be paid');

  const missing = await audited(lines.filter((line) => line !== paid));
  expect(missing).toMatchObject({ paidTwice: 0, lost: 1 });
  expect(names(missing)).toContain('said to be paid, and not in the log');

  const wrong = { ...paid, total: (paid.total ?? 0) + 1 };
  expect(names(await audited(lines.map((line) => (line === paid ? wrong : line))))).toEqual([
    'another amount left than was approved',
    sums,
  ]);

  const isPut = (line: Line) => line.t === 'begin' && JSON.stringify(line).includes('"PUT"');
  const put = lines.findLast(isPut);
  expect(names(await audited([...lines, put ?? paid]))).toEqual(['more confirmations than calls']);
  const answeredMs = (put?.at ?? 0) - 1_001;
  expect(names(await audited(lines, { stops: [{ answeredMs, openedMs: answeredMs + 60_000 }] }))).toEqual([
    'called while the rail was stopped',
  ]);
  expect(names(await audited(lines.filter(({ t }) => t !== 'moved')))).toEqual([
    'returned, and the rail took nothing back',
  ]);

  await world.owner.query(`update rail set exposure_max = 1 where id = 'multicard'`);
  expect(names(await audited(lines))).toEqual(['more between a claim and a known end than may be']);
});
