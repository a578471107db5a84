import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { RailId } from '../../../../../domain/pay/ids.ts';
import type { StatedLine } from '../../../../../domain/pay/reconcile/read-lines.ts';
import { differences } from '../../../../../infra/postgres/pay/reconcile/differences.ts';
import { equationReads } from '../../../../../infra/postgres/pay/reconcile/equation.ts';
import { statements } from '../../../../../infra/postgres/pay/reconcile/statements.ts';
import { FEE, GROSS, openDispatchWorld, type Payee } from '../dispatch-world.ts';
import { proofBy } from '../proofs.ts';

export const NET = GROSS - FEE;
export const COMMISSION = 700n;
const MICROS = 10_000n;

export interface PaidOne {
  readonly id: string;
  readonly payee: Payee;
  readonly batchId: string;
  readonly uuid: string;
  readonly reference: string;
}

const answered = (status: 'draft' | 'success' | 'error') => ({ kind: 'answered', status }) as const;

/** Payments by a rail of cards, and by files of a bank, and what their statements say. */
export async function openRailWorld() {
  const world = await openDispatchWorld();
  const { pool, owner, projectId } = world;
  const parts = { pool, book: projectId, encryption: world.rowEncryption };
  const ports = {
    statements: statements(parts),
    differences: differences(pool, projectId),
    equation: equationReads(pool, projectId),
  };

  /** Confirmed, and no end of it known. */
  const sent = async (): Promise<PaidOne & { readonly call: number | null }> => {
    const { id: batchId, payees } = await world.batch(1);
    await world.start();
    const [[row], [payee]] = [await world.dispatches(batchId), payees];
    if (!row || !payee) throw new Error('nothing was started');
    const uuid = randomUUID();
    const draft = await world.claim(row.id);
    const { call } = await world.move(row.id, draft.call, answered('draft'), 'drafted', {
      rail_uuid: uuid,
      commission: Number(COMMISSION),
      confirms: true,
    });
    return { id: row.id, payee, batchId, uuid, reference: `${row.id}-1`, call };
  };
  const paid = async (): Promise<PaidOne> => {
    const one = await sent();
    await world.move(one.id, one.call, answered('success'), 'paid');
    return one;
  };
  /** The rail said so twice, a minute apart. */
  const failed = async (): Promise<PaidOne> => {
    const one = await sent();
    await world.move(one.id, one.call, answered('error'), 'asking');
    for (const to of ['asking', 'failed']) {
      const { call } = await world.claim(one.id, 'read');
      await world.move(
        one.id,
        call,
        answered('error'),
        to as 'asking',
        to === 'failed' ? { reason: 'rail-error' } : {},
      );
      await world.age(one.id, 61);
    }
    return one;
  };

  /** Of a running batch of bank files; as finance's people made it. */
  const bankBatch = async (count: number): Promise<{ id: string; payees: readonly Payee[] }> => {
    const id = randomUUID();
    await owner.query(
      `insert into payout_batch (id, project_id, rail, name, made_by, made_at) values ($1, $2, 'bank-file', 'test', $3, now())`,
      [id, projectId, world.maker],
    );
    const payees: Payee[] = [];
    for (let n = 1; n <= count; n++) {
      const payee = await bankPayee();
      payees.push(payee);
      await owner.query(
        `insert into payout_item (batch_id, n, payout_id, net, token_hash, last4, person_id)
         select $1, $2, p.id, p.net, d.holder_hash, d.last4, p.person_id
         from payout p join payout_destination d on d.id = p.destination_id where p.id = $3`,
        [id, n, payee.payoutId],
      );
    }
    await owner.query(
      `update payout_batch set state = 'submitted', content_hash = sha256('x'), count = $2, submitted_at = now() where id = $1`,
      [id, count],
    );
    for (const state of ['approved', 'running'])
      await owner.query('update payout_batch set state = $2 where id = $1', [id, state]);
    return { id, payees };
  };
  const bankPayee = async (): Promise<Payee> => {
    const person = await world.person(GROSS * MICROS);
    const [destinationId, payoutId] = [randomUUID(), randomUUID()];
    const token = world.rowEncryption.encrypt('00873:22618000100765432001', destinationId);
    await owner.query(
      `insert into payout_destination (id, project_id, person_id, rail, token_encrypted, holder_hash, last4, holder_name, usable_from, made_at)
       values ($1, $2, $3, 'bank-file', $4, $5, '2001', 'Қодир Ғуломов', now() - interval '2 days', now() - interval '3 days')`,
      [destinationId, projectId, person.id, token, randomBytes(32)],
    );
    await owner.query(
      `insert into payout (id, project_id, source, person_id, destination_id, rail, purpose, gross, fee, net, state, asked_by, created_at, state_at)
       values ($1, $2, 'withdrawal', $3, $4, 'bank-file', 'за ноябрь', $5, $6, $7, 'batched', 'person', now(), now())`,
      [payoutId, projectId, person.id, destinationId, GROSS, FEE, NET],
    );
    await world.post([
      {
        key: `hold:${payoutId}`,
        kind: 'hold',
        debit: person.available,
        credit: person.held,
        amount: GROSS * MICROS,
        subject: payoutId,
      },
    ]);
    return { personId: person.id, destinationId, payoutId, available: person.available, held: person.held };
  };

  /** A line of a statement of cards, as the rail tells it. */
  const lineOf = (one: PaidOne, change: Partial<StatedLine> = {}): StatedLine => ({
    key: keyOf(`out ${change.uuid ?? one.uuid}`),
    direction: 'out',
    uuid: one.uuid,
    reference: one.reference,
    amount: NET,
    commission: COMMISSION,
    at: new Date('2026-11-29T10:00:00Z'),
    says: null,
    ...change,
  });
  const backOf = (one: PaidOne, change: Partial<StatedLine> = {}) =>
    lineOf(one, {
      key: keyOf(`back ${one.uuid}`),
      direction: 'back',
      at: new Date('2026-11-29T11:00:00Z'),
      ...change,
    });
  const source = (lines: readonly StatedLine[], rail: RailId = 'multicard') => ({
    rail,
    from: new Date('2026-11-28T00:00:00Z'),
    to: new Date('2026-11-30T00:00:00Z'),
    lines,
    file: null,
  });
  const checker = await world.staff();
  /** To a statement that waits, by another person than who uploaded it. */
  const agreeTo = async (id: string, by = checker) => {
    const { rows } = await pool.query<{ hash: string; count: number; total: string }>(
      `select encode(s.sha256, 'hex') hash, count(*)::int count, sum(l.amount + l.commission)::text total
       from statement s join statement_line l on l.statement_id = s.id and l.bucket = 'early' where s.id = $1 group by s.id`,
      [id],
    );
    const { hash = '', count = 0, total = '0' } = rows[0] ?? {};
    const binds = { action: 'money.correct', subject: id, version: 1, hash, count, total } as const;
    return ports.statements.agree(id, by, await proofBy(pool, by, binds));
  };
  /** What a bank says somebody uploads, and another person agrees to it. */
  const take = async (lines: readonly StatedLine[], dryRun = false, rail: RailId = 'multicard') => {
    if (rail === 'multicard') return ports.statements.import(source(lines, rail), { dryRun });
    const file = { sha256: createHash('sha256').update(randomUUID()).digest(), by: world.maker };
    const sent = { ...source(lines, rail), file };
    const report = await ports.statements.import(sent, { dryRun });
    if (dryRun || !report.buckets.some(({ bucket }) => bucket === 'early')) return report;
    const wasStopped = (await railOf(rail))?.stopped;
    await agreeTo(report.statementId ?? '');
    const { buckets } = await ports.statements.import(sent, { dryRun });
    const isStopped = !wasStopped && (await railOf(rail))?.stopped;
    return { ...report, buckets, stopped: isStopped ? [rail] : report.stopped };
  };
  const bucketsOf = async (...ones: readonly { readonly id: string }[]) =>
    (
      await pool.query<{ bucket: string; direction: string; posted: boolean }>(
        'select bucket, direction, posted from statement_line where dispatch_id = any ($1) order by at, key',
        [ones.map(({ id }) => id)],
      )
    ).rows;
  const open = async () => {
    const page = await ports.differences.list({ open: true }, { limit: 100, after: null });
    return page.rows.map(({ bucket, amount, payoutId }) => ({ bucket, amount, payoutId }));
  };
  const railOf = async (rail: string) =>
    (
      await pool.query<{ reason: string | null; stopped: boolean }>(
        'select reason, stopped_at is not null as stopped from rail where id = $1',
        [rail],
      )
    ).rows[0];
  /** As if nothing had been found so far. */
  const forget = async () => {
    await owner.query(`update rail set stopped_at = null, stopped_by = null, reason = null`);
    await owner.query(
      `update difference set note = 'test', closed_at = now(), closed_by = $1 where closed_by is null`,
      [world.maker],
    );
  };
  const of = async (cls: string, rail: string | null = 'multicard') =>
    world.balance(await world.open(cls, null, rail));

  return {
    ...world,
    ...ports,
    statementsOf: (linesACall: number) => statements({ ...parts, linesACall }),
    sent,
    paid,
    failed,
    bankBatch,
    lineOf,
    backOf,
    source,
    take,
    agreeTo,
    bucketsOf,
    openDifferences: open,
    railOf,
    forget,
    of,
  };
}

export const keyOf = (text: string) => createHash('sha256').update(text).digest('base64url');
