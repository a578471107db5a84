import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import type { Encryption } from '../../../../infra/process/crypto.ts';
import type { Dice } from '../../support/dice.ts';

/** Two of finance, old enough to agree to something. */
export interface Hands {
  readonly maker: string;
  readonly other: string;
}

/** Tiyin: 10 000 and 90 000 UZS. */
const NETS = [1_000_000, 9_000_000] as const;
/** 0.3 % of what half of them are paid. */
const FEE_OF = 300;
/** Of one statement. */
const CHUNK = 5_000;
const POSTS_MAX = 500;
const MICROS = 10_000n;

export async function makeHands(owner: pg.Pool): Promise<Hands> {
  const ids = [randomUUID(), randomUUID()] as const;
  for (const id of ids)
    await owner.query(
      `insert into staff (id, email, password_hash, role, created_at) values ($1, $2, 'x', 'finance', now() - interval '30 days')`,
      [id, `${id}@example.com`],
    );
  await owner.query('select ledger_book_open($1)', [PLATFORM_PROJECT_ID]);
  return { maker: ids[0], other: ids[1] };
}

export interface Seed {
  readonly seed: number;
  readonly dice: Dice;
}

interface BatchSizes {
  /** Of each seed. */
  readonly items: number;
  /** Of each batch. */
  readonly linesMax: number;
  readonly until?: 'approved' | 'running';
  /** Tiyin, the least and the most of a line: a batch has a total that it may not exceed. */
  readonly nets?: readonly [number, number];
}

interface Line {
  readonly batch: string;
  readonly n: number;
  readonly payout: string;
  readonly destination: string;
  readonly holder: string;
  readonly token: string;
  readonly person: string | null;
  readonly phone: string | null;
  readonly net: number;
  readonly fee: number;
}
type Unplaced = Omit<Line, 'batch' | 'n'>;

/**
 * Batches that run, or are only approved, with so many lines of each seed: half of them withdrawals, half of a project's money. A seed and a
 * number are the card, as the rail knows it. Their rows are written as if people had asked, bound and approved: what is tried here begins
 * after that. Answers the batches, in the order of their seeds.
 */
export async function makeBatches(
  owner: pg.Pool,
  encryption: Encryption,
  { maker, other }: Hands,
  seeds: readonly Seed[],
  { items, linesMax, until = 'running', nets = NETS }: BatchSizes,
): Promise<readonly string[]> {
  const funder = PLATFORM_PROJECT_ID;
  const lines = placed(
    seeds.flatMap((seed) => linesOf(seed, items, nets)),
    linesMax,
  );
  for (let from = 0; from < lines.length; from += CHUNK) {
    const part = lines.slice(from, from + CHUNK).map((line) => ({
      ...line,
      card: line.token,
      token: encryption.encrypt(line.token, line.destination).toString('hex'),
    }));
    for (const insert of insertLines)
      await owner.query(insert, [JSON.stringify(part), PLATFORM_PROJECT_ID, funder, maker]);
  }
  await fund(owner, lines, funder);
  for (let from = 0; from < lines.length; from += CHUNK) {
    const part = lines.slice(from, from + CHUNK);
    await owner.query('select payout_post($1, $2, $3, $4)', [
      PLATFORM_PROJECT_ID,
      part.map(({ payout }) => payout),
      'hold',
      'chaos',
    ]);
  }
  const batches = [...new Set(lines.map(({ batch }) => batch))];
  await owner.query(submit, [batches]);
  await owner.query(approve, [batches, other]);
  for (const state of until === 'running' ? ['approved', 'running'] : ['approved'])
    await owner.query('update payout_batch set state = $2 where id = any($1)', [batches, state]);
  return batches;
}

function linesOf({ seed, dice }: Seed, items: number, nets: readonly [number, number]): readonly Unplaced[] {
  const person = randomUUID();
  return Array.from({ length: items }, (_, index) => lineOf(`sim${seed}x${index + 1}`, dice, person, nets));
}

function lineOf(token: string, dice: Dice, person: string, nets: readonly [number, number]): Unplaced {
  const net = dice.whole(...nets);
  const isWithdrawal = dice.unit() < 0.5;
  return {
    payout: uuidv7(),
    destination: uuidv7(),
    holder: createHash('sha256').update(token).digest('hex'),
    token,
    person: isWithdrawal ? person : null,
    phone: isWithdrawal ? null : '+998900000001',
    net,
    fee: isWithdrawal ? Math.floor(net / FEE_OF) : 0,
  };
}

/** Into batches that are full. */
function placed(lines: readonly Unplaced[], linesMax: number): readonly Line[] {
  let batch = '';
  return lines.map((line, index) => {
    if (index % linesMax === 0) batch = randomUUID();
    return { ...line, batch, n: (index % linesMax) + 1 };
  });
}

const asLines = `
json_to_recordset($1) as l(batch uuid, n int, payout uuid, destination uuid, holder text, token text, card text, person uuid, phone text, net bigint, fee bigint)`;
/** One after the other: what a trigger looks for is there. */
const insertLines = [
  `insert into payout_batch (id, project_id, rail, name, made_by, made_at)
   select distinct l.batch, $2::uuid, 'multicard', 'chaos', $4::uuid, now() from ${asLines} where $3::uuid is not null on conflict do nothing`,
  `insert into payout_destination (id, project_id, person_id, phone, rail, token_encrypted, holder_hash, last4, holder_name, usable_from, made_at)
   select l.destination, $2::uuid, l.person, l.phone, 'multicard', decode(l.token, 'hex'), decode(l.holder, 'hex'), '1234', l.card, now() - interval '2 days',
     now() - interval '3 days' from ${asLines} where num_nulls($3::uuid, $4::uuid) = 0`,
  `insert into payout (id, project_id, source, funder, person_id, phone, reference, destination_id, rail, gross, fee, net, state, asked_by, created_at, state_at)
   select l.payout, $2::uuid, case when l.person is null then 'api' else 'withdrawal' end, case when l.person is null then $3::uuid end, l.person, l.phone,
     case when l.person is null then l.card end, l.destination, 'multicard', l.net + l.fee, l.fee, l.net, 'batched',
     case when l.person is null then 'key:' || $3::uuid else 'person' end, now(), now() from ${asLines} where $4::uuid is not null`,
  `insert into payout_item (batch_id, n, payout_id, net, token_hash, last4, person_id, phone)
   select l.batch, l.n, l.payout, l.net, decode(l.holder, 'hex'), '1234', l.person, l.phone from ${asLines} where num_nulls($2::uuid, $3::uuid, $4::uuid) = 0`,
];

const submit = `
update payout_batch b set state = 'submitted', submitted_at = now(), (content_hash, count, total) = (select c.hash, c.count, c.total from payout_batch_content(b.id) c)
where b.id = any($1)`;

const approve = `
insert into payout_action (batch_id, subject, version, staff_id, action, hash, count, total, at)
select b.id, b.id::text, b.version, $2, 'approve', b.content_hash, b.count, b.total, now() from payout_batch b where b.id = any($1)`;

async function fund(owner: pg.Pool, lines: readonly Line[], funder: string): Promise<void> {
  const owed = new Map<string | null, bigint>();
  for (const { person, net, fee } of lines)
    owed.set(person, (owed.get(person) ?? 0n) + BigInt(net + fee) * MICROS);
  const all = [...owed].map(([person, amount]) => ({
    key: `${person === null ? 'top-up' : 'earn'}:${randomUUID()}`,
    kind: person === null ? 'top-up' : 'earn',
    from: person === null ? 'bank' : 'earnings',
    to: person === null ? 'funded' : 'available',
    owner: person ?? funder,
    amount: amount.toString(),
  }));
  for (let from = 0; from < all.length; from += POSTS_MAX)
    await owner.query(postFunds, [PLATFORM_PROJECT_ID, JSON.stringify(all.slice(from, from + POSTS_MAX))]);
}

const postFunds = `
with line as materialized (
  select l.*, row_number() over () i from json_to_recordset($2) as l(key text, kind text, "from" text, "to" text, owner uuid, amount bigint)),
froms as (select o.* from ledger_open($1::uuid, (select array_agg(l."from" order by l.i) from line l), (select array_agg(null::uuid) from line l), (select array_agg(null::text) from line l)) o),
tos as (select o.* from ledger_open($1::uuid, (select array_agg(l."to" order by l.i) from line l), (select array_agg(l.owner order by l.i) from line l), (select array_agg(null::text) from line l)) o),
args as (
  select array_agg(l.key order by l.i) keys, array_agg(l.kind order by l.i) kinds, array_agg(f.account order by l.i) debits, array_agg(t.account order by l.i) credits,
    array_agg(l.amount order by l.i) amounts, array_agg(null::uuid) subjects, array_agg(now()) ats, array_agg('chaos'::text) actors
  from line l join froms f on f.item = l.i join tos t on t.item = l.i)
select p.* from args a, ledger_post_all($1::uuid, a.keys, a.kinds, a.debits, a.credits, a.amounts, a.subjects, a.ats, a.actors) p`;
