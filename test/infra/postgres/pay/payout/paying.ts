import { randomBytes, randomUUID } from 'node:crypto';
import { canonicalBinds } from '../../../../../domain/staff/proof.ts';
import { moveClock } from '../../../../../infra/postgres/engine/clock.ts';
import { openTestBook } from '../book.ts';

export const HOUR_MS = 3_600_000;
const MICROS = 10_000n;
/** In tiyin. */
export const UZS = 100n;

interface Made {
  readonly id: string;
  readonly state: string;
  readonly version: number;
}
export interface Batch {
  readonly id: string;
  readonly state: string;
  readonly version: number;
  readonly count: number;
  readonly total: string;
  readonly hash: Buffer | null;
}
interface Asked {
  readonly person: string;
  readonly destination: string;
  readonly gross: bigint;
  readonly fee?: bigint;
}

const batchColumns = 'state, version, count, total, content_hash hash';

/** What paying is tested with: people who have money, cards and devices; staff who prove; all over a real Postgres. */
export async function openPaying() {
  const book = await openTestBook();
  const { pool, owner, projectId } = book;
  let phones = 900_000_000;
  const nextPhone = () => `+998${(phones += 1)}`;
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * HOUR_MS);
  const one = async <Row extends object>(sql: string, values: unknown[]): Promise<Row> => {
    const { rows } = await pool.query<Row>(sql, values);
    const [row] = rows;
    if (!row) throw new Error(`no row of: ${sql}`);
    return row;
  };

  /** As somebody bound it, so many hours ago. */
  const destination = async (
    payee: { person: string } | { phone: string },
    { hours = 25, holder = randomBytes(32) as Buffer, rail = 'multicard' } = {},
  ): Promise<string> => {
    const { rows } = await owner.query<{ id: string }>(
      `insert into payout_destination (project_id, person_id, phone, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
       values ($1, $2, $3, $4, 'x', $5, '1234', $6::timestamptz + interval '24 hours', $6) returning id`,
      [
        projectId,
        'person' in payee ? payee.person : null,
        'phone' in payee ? payee.phone : null,
        rail,
        holder,
        hoursAgo(hours),
      ],
    );
    return rows[0]?.id ?? '';
  };

  /** With a card that is usable, a phone, and so many tiyin. */
  const person = async (tiyin: bigint) => {
    const { id, available, held } = await book.person(tiyin * MICROS);
    const phone = nextPhone();
    await pool.query('insert into person (id, created_at) values ($1, $2)', [id, hoursAgo(100)]);
    await pool.query(
      `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', $4)`,
      [randomBytes(32), id, phone, hoursAgo(100)],
    );
    return {
      id,
      phone,
      card: await destination({ person: id }),
      available: async () => (await book.balance(available)) / MICROS,
      held: async () => (await book.balance(held)) / MICROS,
    };
  };
  type Person = Awaited<ReturnType<typeof person>>;

  const ask = ({ person: of, destination: to, gross, fee = 0n }: Asked): Promise<Made> =>
    one<Made>(
      `select id, state, version from payout_ask($1, 'withdrawal', null, $2, null, null, null, null, $3, 'multicard', $4, $5, 'person')`,
      [projectId, of, to, gross, fee],
    );
  /** A payout of a person of its own, which finance may pay. */
  const pending = async (gross = 20_000n * UZS): Promise<Made & { person: Person }> => {
    const of = await person(gross);
    return { ...(await ask({ person: of.id, destination: of.card, gross })), person: of };
  };
  const payout = (id: string) =>
    one<{ state: string; reason: string | null; version: number; verification_id: string | null }>(
      'select state, reason, version, verification_id from payout where id = $1',
      [id],
    );

  const device = (of: string, { hours = 25, revoked = null as Date | null } = {}): Promise<unknown> =>
    pool.query(
      `insert into device (id, person_id, kind, name, public_key, totp_encrypted, created_at, bound_at, revoked_at)
       values ($1, $2, 'app', 'phone', '{}', 'x', $3, $3, $4)`,
      [randomUUID(), of, hoursAgo(hours), revoked],
    );
  /** What identity keeps when a device has answered. */
  const approval = (
    verification: string,
    { person: by, result = 'approved', amount, purpose = 'navbat.withdraw' }: ApprovalOf,
  ): Promise<unknown> =>
    pool.query(
      `insert into approval (challenge_id, verification_id, project_id, person_id, device_id, result, statement, signature, public_key, at)
       values ($1, $2, $3, $4, $1, $5, $6, 'x', '{}', $7)`,
      [
        randomUUID(),
        verification,
        projectId,
        by,
        result,
        JSON.stringify({
          purpose,
          decision: result === 'approved' ? 'approve' : 'deny',
          context: {
            client: null,
            payment: { amount: amount.toString(), currency: 'UZS', payee: '•••• 1234' },
          },
        }),
        new Date(),
      ],
    );

  const staff = async (role: string, { hours = 100, factorHours = 100 } = {}): Promise<string> => {
    const id = randomUUID();
    await pool.query(
      `insert into staff (id, email, role, password_hash, totp_encrypted, totp_last_step, totp_bound_at, created_at)
       values ($1, $2, $3, 'none', 'x', 0, $4, $5)`,
      [id, `${id}@example.com`, role, hoursAgo(factorHours), hoursAgo(hours)],
    );
    return id;
  };
  let step = 0;
  /** Of a code that was right. */
  const proof = async (by: string, of: Batch, { factorHours, ...differs }: ProofOf = {}): Promise<string> => {
    const id = randomUUID();
    const {
      subject = of.id,
      version = of.version,
      hash = of.hash,
      count = of.count,
      total = of.total,
    } = differs;
    step += 1;
    const binds = canonicalBinds({
      action: 'batch.approve',
      subject,
      version,
      count,
      total,
      ...(hash ? { hash: hash.toString('hex') } : {}),
    });
    await pool.query(
      `insert into staff_proof (id, staff_id, by, step, factor_at, binds, binds_hash)
       select $1, $2, 'totp', $3, coalesce($4, (select totp_bound_at from staff where id = $2)), $5, sha256(convert_to($5, 'UTF8'))`,
      [id, by, step, factorHours === undefined ? null : hoursAgo(factorHours), binds],
    );
    return id;
  };

  const batch = async (name: string, values: unknown[], id: string): Promise<Batch> => {
    const places = values.map((_, n) => `$${n + 2}`).join(', ');
    return {
      id,
      ...(await one<Omit<Batch, 'id'>>(`select ${batchColumns} from ${name}($1, ${places})`, [
        id,
        ...values,
      ])),
    };
  };
  const batches = {
    create: (by: string, rail = 'multicard'): Promise<Batch> =>
      one<Batch>(`select batch id, ${batchColumns} from batch_create($1, $2, 'salaries', $3)`, [
        projectId,
        rail,
        by,
      ]),
    add: (b: Batch, by: string, payouts: readonly string[]) =>
      batch('batch_add', [b.version, by, payouts], b.id),
    drop: (b: Batch, by: string, ns: readonly number[]) =>
      batch('batch_drop', [b.version, by, ns, 'wrong'], b.id),
    submit: (b: Batch, by: string) => batch('batch_submit', [b.version, by], b.id),
    reject: (b: Batch, by: string, why: string | null = 'wrong month') =>
      batch('batch_reject', [b.version, by, why], b.id),
    withdraw: (b: Batch, by: string) => batch('batch_withdraw', [b.version, by, null], b.id),
    /** `read`: where the approver has read something else. */
    approve: (b: Batch, by: string, proofId: string, read: Partial<Batch> = {}) => {
      const { version, hash, count, total } = { ...b, ...read };
      return batch('batch_approve', [version, by, hash, count, total, proofId], b.id);
    },
    run: (b: Batch, by: string, at: Date | null = null) => batch('batch_run', [b.version, by, at], b.id),
    pause: (b: Batch, by: string, version: number | null = b.version) =>
      batch('batch_pause', [version, by, 'look'], b.id),
    resume: (b: Batch, by: string) => batch('batch_resume', [b.version, by], b.id),
    cancelRest: (b: Batch, by: string) => batch('batch_cancel_rest', [b.version, by, 'late'], b.id),
    close: (b: Batch, by: string) => batch('batch_close', [b.version, by], b.id),
    read: (id: string): Promise<Batch> =>
      one<Batch>(`select id, ${batchColumns} from payout_batch where id = $1`, [id]),
    actions: async (id: string): Promise<readonly string[]> =>
      (
        await pool.query<{ action: string }>(
          'select action from payout_action where batch_id = $1 order by at, id',
          [id],
        )
      ).rows.map(({ action }) => action),
  };
  /** Of so many payouts, made and submitted by somebody of finance. */
  const submitted = async (amounts: readonly bigint[] = [20_000n * UZS, 30_000n * UZS]) => {
    const maker = await staff('finance');
    const payouts = [];
    for (const amount of amounts) payouts.push(await pending(amount));
    const made = await batches.add(
      await batches.create(maker),
      maker,
      payouts.map(({ id }) => id),
    );
    return { maker, payouts, batch: await batches.submit(made, maker) };
  };

  /** Has so many connections wait for a row that is held, and lets it go. */
  const atOnce = async <T>(table: string, id: string, asked: readonly (() => Promise<T>)[]) => {
    const holder = await owner.connect();
    await holder.query('begin');
    await holder.query(`select from ${table} where id = $1 for update`, [id]);
    const answers = Promise.allSettled(asked.map((ask) => ask()));
    const waiting = async (): Promise<number> =>
      (
        await holder.query<{ n: number }>(
          `select count(distinct pid)::int n from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database()`,
        )
      ).rows[0]?.n ?? 0;
    // Well within the 3 s that a function waits for a lock.
    for (let tries = 0; tries < 100 && (await waiting()) < asked.length; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await holder.query('rollback');
    holder.release();
    return answers;
  };

  return {
    ...book,
    atOnce,
    one,
    nextPhone,
    destination,
    person,
    ask,
    pending,
    payout,
    device,
    approval,
    staff,
    proof,
    batches,
    submitted,
    /** As a sandbox does. */
    moveClock: (ms: number) => moveClock(owner, ms),
  };
}

interface ApprovalOf {
  readonly person: string;
  readonly amount: bigint;
  readonly result?: string;
  readonly purpose?: string;
}
interface ProofOf extends Partial<Omit<Batch, 'state'>> {
  readonly factorHours?: number;
  readonly subject?: string;
}
