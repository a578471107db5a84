import type pg from 'pg';
import { type Decision, refused } from '../../../domain/job/decision.ts';
import {
  type Block,
  blockOf,
  decayed,
  riskFactors,
  type RiskScores,
  type Score,
} from '../../../domain/verify/fraud.ts';
import {
  type DayBudget,
  type DaySpend,
  isBudgetSpent,
  isHalfSpent,
  isNumberCapped,
  type PaidCount,
  withSpend,
} from '../../../domain/verify/paid-limits.ts';
import type { PaidAttempts, PaidOpening, PaidRefusal, ScoredNames } from '../../../domain/verify/otp-job.ts';
import { HOUR_SECONDS } from '../../../domain/verify/send.ts';
import { batcher } from '../engine/batcher.ts';
import { openAttempts } from '../job/attempts.ts';
import { budgetsHalfSpent } from '../../process/metrics.ts';
import { inTwoPhases } from '../engine/hot-pool.ts';
import { type PaidCountRow, readPaidCounts, toPaidCount, withOneMore } from './paid-counts.ts';
import { dayOf } from '../../../domain/shared/time.ts';

/** Each batch locks a row a number and a row a project. */
const BATCH_MAX = 200;
/** One: two batches would only wait for each other's project rows. */
const BATCHES_IN_FLIGHT_MAX = 1;

/** Half of a project's budget of the day is spent. */
export interface HalfSpent {
  readonly projectId: string;
  readonly spend: DaySpend;
  readonly budget: DayBudget;
}

type Opened = Decision<{ opened: 'opened' | 'lost' }, PaidRefusal>;

/**
 * Opens attempts that cost money. The cap of a number, the budget of a project's day and the risk of a prefix and a client are locked,
 * decided and booked in the transaction that opens the attempt, so that they are exact over all workers: of two sends at one moment
 * the second sees what the first has booked.
 */
export function paidAttempts(
  pool: pg.Pool,
  now: () => Date,
  onHalfSpent: (half: HalfSpent) => void = () => undefined,
): PaidAttempts {
  const open = batcher({
    name: 'open-paid',
    sizeMax: BATCH_MAX,
    inFlightMax: BATCHES_IN_FLIGHT_MAX,
    run: async (openings: readonly PaidOpening[]) => {
      const { answers, halfSpent } = await openAll(pool, openings, now());
      for (const half of halfSpent) {
        budgetsHalfSpent.inc();
        onHalfSpent(half);
      }
      return answers;
    },
  });
  return { open };
}

async function openAll(pool: pg.Pool, openings: readonly PaidOpening[], now: Date) {
  const { refusals, halfSpent, won } = await inTwoPhases(
    pool,
    (client) => lockFacts(client, openings, now),
    (rows, client) => {
      const books = new Books(rows, now);
      const refusals = openings.map((opening) => books.book(opening));
      const opening = openings.filter((_, index) => refusals[index] === null);
      const opened = client.query<{ job_id: string }>(openAttempts, [
        JSON.stringify(opening.map((one) => attemptRow(one, books.scoredOf(one)))),
        now,
      ]);
      const out = { refusals, halfSpent: books.halfSpent, won: opened };
      return { sent: [...books.write(client), opened], out };
    },
  ).then(async ({ won, ...rest }) => ({
    ...rest,
    won: new Set((await won).rows.map(({ job_id }) => job_id)),
  }));
  const answers = openings.map(({ jobId }, index): Opened => {
    const refusal = refusals[index];
    return refusal ? refused(refusal) : { kind: 'accepted', opened: won.delete(jobId) ? 'opened' : 'lost' };
  });
  return { answers, halfSpent };
}

interface SpendRow {
  project_id: string;
  spent_micros: string;
  stranger_micros: string;
  half_spent_at: Date | null;
}
type ScoreRow = Score & { project_id: string; prefix: string };
type FactRows = readonly [
  pg.QueryResult<object>,
  pg.QueryResult<SpendRow>,
  pg.QueryResult<ScoreRow>,
  pg.QueryResult<PaidCountRow>,
];

const sortedUnique = (texts: readonly string[]) => [...new Set(texts)].toSorted();
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

const namesOf = (scored: Partial<ScoredNames>) => riskFactors.flatMap((factor) => scored[factor] ?? []);

/** Sorted, so that two batches can't wait for each other in a circle. */
function lockFacts(client: pg.PoolClient, openings: readonly PaidOpening[], now: Date) {
  const scored = openings.flatMap(({ scored, projectId }) => namesOf(scored).map((name) => projectId + name));
  return [
    client.query(lockNumbers, [sortedUnique(openings.map(({ addressHash }) => hexOf(addressHash))), now]),
    client.query<SpendRow>(lockSpend, [sortedUnique(openings.map(({ projectId }) => projectId)), dayOf(now)]),
    client.query<ScoreRow>(lockScores, [sortedUnique(scored), now]),
    // Under the lock of the number.
    client.query<PaidCountRow>(readPaidCounts, [
      openings.map(({ addressHash }) => addressHash),
      new Date(now.getTime() - HOUR_SECONDS * 1_000),
      false,
    ]),
  ] as const;
}

/** The row is there to be locked: what was sent to a number is counted by its attempts. */
const lockNumbers = `
insert into paid_destination (address_hash, locked_at) select decode(hash, 'hex'), $2 from unnest($1::text[]) hash
on conflict (address_hash) do update set locked_at = excluded.locked_at`;
const lockSpend = `
insert into paid_spend (project_id, day) select id, $2 from unnest($1::uuid[]) id
on conflict (project_id, day) do update set spent_micros = paid_spend.spent_micros returning project_id, spent_micros, stranger_micros, half_spent_at`;
const lockScores = `
insert into prefix_score (project_id, prefix, at) select left(pair, 36)::uuid, substr(pair, 37), $2 from unnest($1::text[]) pair
on conflict (prefix, project_id) do update set at = prefix_score.at returning project_id, prefix, sent, verified, at`;

/** The accounts of a batch; each booking changes what the next one sees. */
class Books {
  readonly #spend: Map<string, DaySpend>;
  readonly #counts = new Map<string, readonly PaidCount[]>();
  readonly #scores: Map<string, ScoreRow>;
  readonly #now: Date;
  readonly #scored = new Map<PaidOpening, readonly string[]>();
  readonly #blocks: { readonly job_id: string; readonly block: Block }[] = [];
  /** Projects whose day's half was told of before. */
  readonly #toldOf: Set<string>;
  /** To be told of with this batch. */
  readonly halfSpent: HalfSpent[] = [];

  constructor([, spend, scores, paid]: FactRows, now: Date) {
    this.#now = now;
    this.#spend = new Map(
      spend.rows.map((row) => [
        row.project_id,
        { spentMicros: Number(row.spent_micros), strangerMicros: Number(row.stranger_micros) },
      ]),
    );
    this.#toldOf = new Set(
      spend.rows.filter((row) => row.half_spent_at !== null).map((row) => row.project_id),
    );
    for (const row of paid.rows) {
      const number = hexOf(row.address_hash);
      this.#counts.set(number, [...(this.#counts.get(number) ?? []), toPaidCount(row)]);
    }
    this.#scores = new Map(scores.rows.map((row) => [row.project_id + row.prefix, decayed(row, now)]));
  }

  /** Null when the message may be paid for, which is then booked. */
  book(opening: PaidOpening): PaidRefusal | null {
    const { projectId, budget, askedBy, reservedMicros } = opening;
    const number = hexOf(opening.addressHash);
    const counts = this.#counts.get(number) ?? [];
    const spend = this.#spend.get(projectId) ?? { spentMicros: 0, strangerMicros: 0 };
    if (isNumberCapped(counts, opening)) return 'number-capped';
    if (isBudgetSpent(spend, budget, askedBy, reservedMicros)) return 'budget-spent';
    // A provider that loses codes looks like a pump: what it lost must still go by the next one, and counts as one code.
    const block = opening.isLater ? null : blockOf(this.#riskOf(opening), opening.isTrusted, this.#now);
    if (block) {
      this.#blocks.push({ job_id: opening.jobId, block });
      return block.reason;
    }

    this.#counts.set(number, withOneMore(counts, opening));
    const spent = withSpend(spend, reservedMicros, askedBy);
    this.#spend.set(projectId, spent);
    if (isHalfSpent(spent, budget) && !this.#toldOf.has(projectId)) {
      this.#toldOf.add(projectId);
      this.halfSpent.push({ projectId, spend: spent, budget });
    }
    if (!opening.isLater) this.#score(opening, counts);
    return null;
  }

  #riskOf({ projectId, scored }: PaidOpening): RiskScores {
    const scoreOf = (name: string | null) =>
      (name === null ? null : this.#scores.get(projectId + name)) ?? null;
    return { prefix: scoreOf(scored.prefix), ip: scoreOf(scored.ip), device: scoreOf(scored.device) };
  }

  /** An address and a device count a number that this project has paid nothing for within the hour, which `before` tells. */
  #score(opening: PaidOpening, before: readonly PaidCount[]): void {
    const { projectId, scored } = opening;
    const isNewNumber = !before.some((one) => one.projectId === projectId && one.messages > 0);
    const names = namesOf(isNewNumber ? scored : { prefix: scored.prefix });
    for (const name of names) {
      const score = this.#scores.get(projectId + name);
      if (score) this.#scores.set(projectId + name, { ...score, sent: score.sent + 1 });
    }
    this.#scored.set(opening, names);
  }

  /** Under which names it was counted. */
  scoredOf(opening: PaidOpening): readonly string[] {
    return this.#scored.get(opening) ?? [];
  }

  write(client: pg.PoolClient): Promise<unknown>[] {
    const spend = [...this.#spend].map(([project_id, { spentMicros, strangerMicros }]) => ({
      project_id,
      spent_micros: spentMicros,
      stranger_micros: strangerMicros,
    }));
    return [
      client.query(writeSpend, [JSON.stringify(spend), dayOf(this.#now)]),
      client.query(writeScores, [JSON.stringify([...this.#scores.values()])]),
      ...(this.#blocks.length === 0
        ? []
        : [client.query(writeBlocks, [JSON.stringify(this.#blocks.map(blockRow)), this.#now])]),
      ...(this.halfSpent.length === 0
        ? []
        : [
            client.query(tellHalfSpent, [
              JSON.stringify(this.halfSpent.map(halfSpentRow)),
              dayOf(this.#now),
              this.#now,
            ]),
          ]),
    ];
  }
}

const writeSpend = `
update paid_spend s set spent_micros = w.spent_micros, stranger_micros = w.stranger_micros
from json_to_recordset($1) as w (project_id uuid, spent_micros bigint, stranger_micros bigint) where s.project_id = w.project_id and s.day = $2`;
/** Once a day and project, as the day's row is locked. A refund that comes after it does not make it happen again. */
export const tellHalfSpent = `
with told as (
  update paid_spend s set half_spent_at = $3 from json_to_recordset($1) as w (project_id uuid, data jsonb)
  where s.project_id = w.project_id and s.day = $2 returning s.project_id, w.data)
select webhook_emit(project_id, 'live', 'budget.half_spent', project_id, $3, data || jsonb_build_object('day', $2::text), null, null)
from told where webhook_is_wanted(project_id, 'live', 'budget.half_spent', null)`;

const halfSpentRow = ({ projectId, spend, budget }: HalfSpent) => ({
  project_id: projectId,
  data: {
    budget_micros: budget.budgetMicros,
    spent_micros: spend.spentMicros,
    publishable_spent_micros: spend.strangerMicros,
  },
});
const writeScores = `
update prefix_score s set sent = w.sent, verified = w.verified, at = w.at
from json_to_recordset($1) as w (project_id uuid, prefix text, sent float8, verified float8, at timestamptz)
where s.project_id = w.project_id and s.prefix = w.prefix`;

/** Told by `explain` and by the job's page. A job that is tried again may be blocked again: the latest one counts. */
const writeBlocks = `
insert into risk_block (job_id, at, reason, until, factors) select job_id, $2, reason, until, factors
from json_to_recordset($1) as w (job_id uuid, reason text, until timestamptz, factors jsonb) order by job_id
on conflict (job_id) do update set at = excluded.at, reason = excluded.reason, until = excluded.until, factors = excluded.factors`;

const blockRow = ({ job_id, block }: { readonly job_id: string; readonly block: Block }) => ({
  job_id,
  ...block,
});

const attemptRow = (
  { jobId, n, channel, provider, providerReference, chosen, chosenAfter, reservedMicros }: PaidOpening,
  scored: readonly string[],
) => ({
  scored,
  job_id: jobId,
  n,
  channel,
  provider,
  cost_micros: reservedMicros,
  cost_currency: 'USD',
  reference: providerReference,
  chosen,
  chosen_after: chosenAfter,
});
