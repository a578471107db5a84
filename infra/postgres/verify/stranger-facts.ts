import type pg from 'pg';
import { HOUR_SECONDS } from '../../../domain/verify/send.ts';
import {
  type AddressStanding,
  APPROVAL_PURPOSE,
  isKnownAddress,
  KNOWN_ADDRESS_SECONDS,
  type StrangerFacts,
} from '../../../domain/verify/strangers.ts';
import type { Addressed } from './addressed.ts';
import { type VerificationRow, toVerification } from './verification-row.ts';
import type { Verification } from '../../../domain/verify/verification.ts';

interface AskRow {
  readonly project_id: string;
  readonly address_hash: Buffer;
  readonly asked_from: Buffer;
  readonly is_approval: boolean;
  readonly hour: number;
  readonly day: number;
  readonly known: boolean;
}
interface StandingRow extends AddressStanding {
  readonly asked_from: Buffer;
}

export type StrangerRows = readonly [
  pg.QueryResult,
  pg.QueryResult<AskRow>,
  pg.QueryResult<StandingRow>,
  pg.QueryResult<VerificationRow>,
];

const DAY_SECONDS = 86_400;

/**
 * What strangers asked for before, of these numbers and from these addresses. An address is locked as a number is, after all
 * numbers and in sorted order, so that its count is exact too. A batch without strangers reads nothing.
 */
export function readStrangers(client: pg.PoolClient, addressed: readonly Addressed[], now: Date) {
  const theirs = addressed.filter((one) => one.askedFrom !== null);
  const before = (seconds: number) => new Date(now.getTime() - seconds * 1_000);
  const from = [...new Map(theirs.map((one) => [one.askedFrom?.toString('hex'), one.askedFrom])).values()];
  const read = <Row extends pg.QueryResultRow>(name: string, text: string, values: readonly unknown[]) =>
    theirs.length === 0
      ? Promise.resolve({ rows: [] as Row[] } as pg.QueryResult<Row>)
      : client.query<Row>({ name: `otp-intake-${name}`, text, values: [...values] });
  return [
    read('lock-addresses', lockAddresses, [from]),
    read<AskRow>('read-asks', readAsks, [
      theirs.map(({ addressHash }) => addressHash),
      before(HOUR_SECONDS),
      before(DAY_SECONDS),
      before(KNOWN_ADDRESS_SECONDS),
      APPROVAL_PURPOSE,
    ]),
    read<StandingRow>('read-standings', readStandings, [from, before(HOUR_SECONDS), APPROVAL_PURPOSE]),
    read<VerificationRow>('read-asked', readAsked, [theirs.flatMap(({ order }) => order.resendOf ?? [])]),
  ] as const;
}

/** Held until the commit. Two addresses with one key only wait for each other. */
const lockAddresses = `
select pg_advisory_xact_lock(key) from (
  select distinct ('x' || encode(substr(hash, 1, 8), 'hex'))::bit(64)::bigint key from unnest($1::bytea[]) hash order by 1) keys`;

/** By the index of an address's verifications: some dozens a number at the most, held by the limits that are read here. */
const readAsks = `
select project_id, address_hash, asked_from, purpose = $5 is_approval, coalesce(sum(sends) filter (where sent_at > $2), 0)::int "hour",
  coalesce(sum(sends) filter (where sent_at > $3), 0)::int "day", bool_or(state = 'approved') known
from verification where address_hash = any($1) and created_at > $4 and asked_by = 'stranger' and mode = 'live' and asked_from is not null
group by 1, 2, 3, 4`;

const readStandings = `
select asked_from, coalesce(sum(sends) filter (where state <> 'approved'), 0)::int unconfirmed,
  count(*) filter (where state = 'approved')::int confirmed
from verification where asked_from = any($1) and created_at > $2 and mode = 'live' and purpose <> $3 group by 1`;

/** Those that are sent again, whose askers have shown that they are theirs. */
const readAsked = `select * from verification where id = any($1) and asked_by = 'stranger' and state = 'live'`;

interface Ask {
  from: string;
  hour: number;
  day: number;
  known: boolean;
}

/** Changed by each decision of a batch, so that the next one sees it. */
export class Strangers {
  readonly #asks = new Map<string, Ask[]>();
  readonly #standings = new Map<string, { unconfirmed: number; confirmed: number }>();
  readonly #live = new Map<string, Verification>();

  constructor([, asks, standings, live]: StrangerRows) {
    for (const row of asks.rows) {
      const key = keyOf(row.address_hash.toString('hex'), row.project_id, row.is_approval);
      const { hour, day, known } = row;
      this.#asksOf(key).push({ from: row.asked_from.toString('hex'), hour, day, known });
    }
    for (const { asked_from: from, unconfirmed, confirmed } of standings.rows)
      this.#standings.set(from.toString('hex'), { unconfirmed, confirmed });
    for (const row of live.rows) this.#live.set(row.id, toVerification(row));
  }

  /** Null where no stranger asks, or with a test key, whose codes reach nobody. */
  of(one: Addressed): StrangerFacts | null {
    if (one.askedFrom === null || one.order.command.mode === 'test') return null;
    const from = one.askedFrom.toString('hex');
    const isApproval = one.order.command.purpose === APPROVAL_PURPOSE;
    const address = this.#standings.get(from) ?? { unconfirmed: 0, confirmed: 0 };
    return { from, asks: this.#asks.get(askKeyOf(one)) ?? [], address: isApproval ? null : address };
  }

  /** At an address where a code of the number was right. */
  isKnown(one: Addressed): boolean {
    const facts = this.of(one);
    return facts !== null && isKnownAddress(facts);
  }

  /** The one that is sent again; a first request of a stranger meets none. */
  liveOf({ order }: Addressed): Verification | null {
    return order.resendOf === undefined ? null : (this.#live.get(order.resendOf) ?? null);
  }

  record(one: Addressed, verification: Verification): void {
    if (one.askedFrom === null) return;
    this.#live.set(verification.id, verification);
    const from = one.askedFrom.toString('hex');
    const asks = this.#asksOf(askKeyOf(one));
    const mine = asks.find((ask) => ask.from === from);
    if (mine) Object.assign(mine, { hour: mine.hour + 1, day: mine.day + 1 });
    else asks.push({ from, hour: 1, day: 1, known: false });
    if (one.order.command.purpose === APPROVAL_PURPOSE) return;
    const { unconfirmed, confirmed } = this.#standings.get(from) ?? { unconfirmed: 0, confirmed: 0 };
    this.#standings.set(from, { unconfirmed: unconfirmed + 1, confirmed });
  }

  #asksOf(key: string): Ask[] {
    const asks = this.#asks.get(key) ?? [];
    this.#asks.set(key, asks);
    return asks;
  }
}

const keyOf = (addressHex: string, projectId: string, isApproval: boolean) =>
  `${addressHex}${projectId}${isApproval ? 'approval' : ''}`;
const askKeyOf = ({ addressHex, order }: Addressed) =>
  keyOf(addressHex, order.caller.projectId, order.command.purpose === APPROVAL_PURPOSE);
