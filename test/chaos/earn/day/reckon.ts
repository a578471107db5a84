import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

/**
 * An independent program: what each person has to be paid for each day of Tashkent, by the phones' and the gateways' own logs, in 10^-6 UZS. It
 * knows nothing of the product, imports nothing of it, and asks no database.
 */

/** 10^-6 UZS, by `person day`. */
export type Reckoned = ReadonlyMap<string, bigint>;

interface PhoneLine {
  readonly did: string;
  readonly phone: string;
  readonly session: string;
  readonly at: string;
  readonly status: number;
  readonly reports?: readonly Said[];
}
interface Said {
  readonly session_id?: string;
  readonly seq: number;
  readonly measured_at: string;
  readonly bytes_up: number;
  readonly bytes_down: number;
}
interface GatewayLine {
  readonly gateway: string;
  readonly at: string;
  readonly status: number;
  readonly reports: readonly Said[];
}
interface Facts {
  /** Phone to person. */
  readonly people: Readonly<Record<string, string>>;
  /** Day to tiyin a MB, which is 10^6 bytes. */
  readonly prices: Readonly<Record<string, number>>;
}

/** What a session said, in the order of its answers. */
interface Session {
  readonly person: string;
  readonly startMs: number;
  endMs: number;
  /** The first of each number. */
  readonly said: Map<number, Heard>;
}
interface Heard {
  readonly measuredMs: number;
  readonly heardMs: number;
  readonly up: bigint;
  readonly down: bigint;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Tashkent is five hours ahead, all the year. */
const AHEAD = 5 * 60 * MINUTE;
const BYTES_A_SECOND = 50_000_000n;

const dayOf = (ms: number): string => new Date(ms + AHEAD).toISOString().slice(0, 10);
const midnight = (day: string, after: number): number => Date.parse(`${day}T00:00:00Z`) - AHEAD + after * DAY;
/** What is heard from then on counts to the day no more. */
const closes = (day: string): number => midnight(day, 3);

export async function reckon(directory: string, facts: Facts): Promise<Reckoned> {
  const sessions = await readPhones(join(directory, 'phones.jsonl'), facts);
  const carried = await readGateways(join(directory, 'gateways.jsonl'));
  const pay = new Map<string, bigint>();
  for (const [id, session] of sessions)
    for (const [day, claimed] of bytesByDay(session)) {
      const confirmed = carried.get(`${id} ${day}`);
      if (confirmed === undefined || differ(claimed, confirmed)) continue;
      const less = claimed < confirmed ? claimed : confirmed;
      const price = facts.prices[day];
      if (price === undefined) throw new Error(`nobody told a price of ${day}`);
      // One tiyin a MB is 10^-2 UZS for 10^6 bytes: 10^-2 of the millionth of an UZS for a byte.
      const micros = (less * BigInt(price)) / 100n;
      const key = `${session.person} ${day}`;
      if (micros > 0n) pay.set(key, (pay.get(key) ?? 0n) + micros);
    }
  return pay;
}

/** By more than five of a hundred of the larger. */
function differ(one: bigint, other: bigint): boolean {
  const [less, more] = one < other ? [one, other] : [other, one];
  return more * 95n > less * 100n;
}

async function readPhones(path: string, { people }: Facts): Promise<Map<string, Session>> {
  const sessions = new Map<string, Session>();
  for await (const text of createInterface({ input: createReadStream(path) })) {
    const line = JSON.parse(text) as PhoneLine;
    const atMs = Date.parse(line.at);
    if (line.did === 'start' && !sessions.has(line.session))
      sessions.set(line.session, {
        person: people[line.phone] ?? '',
        startMs: atMs,
        endMs: atMs + DAY,
        said: new Map(),
      });
    // Refused: of another's session, or after its end.
    if (line.status >= 300) continue;
    const session = sessions.get(line.session);
    if (!session) throw new Error(`a phone speaks of a session that never began: ${line.session}`);
    if (line.did === 'stop') session.endMs = Math.min(session.endMs, atMs);
    for (const report of line.reports ?? []) {
      if (session.said.has(report.seq)) continue;
      session.said.set(report.seq, {
        measuredMs: Date.parse(report.measured_at),
        heardMs: atMs,
        up: BigInt(report.bytes_up),
        down: BigInt(report.bytes_down),
      });
    }
  }
  return sessions;
}

/** Bytes that count, by day: reports in the order of their numbers, each that is good after the last good one. */
function bytesByDay({ startMs, endMs, said }: Session): ReadonlyMap<string, bigint> {
  const days = new Map<string, bigint>();
  let good = { up: 0n, down: 0n, ms: startMs };
  for (const [, { measuredMs, heardMs, up, down }] of [...said].toSorted(([a], [b]) => a - b)) {
    const isOutside = measuredMs < startMs - MINUTE || measuredMs > endMs + MINUTE;
    const day = dayOf(Math.min(Math.max(measuredMs, startMs), endMs));
    if (isOutside || measuredMs > heardMs + MINUTE || heardMs >= closes(day)) continue;
    if (up < good.up || down < good.down) continue;
    const grown = up - good.up + (down - good.down);
    if (grown * 1_000n > BigInt(Math.max(0, measuredMs - good.ms)) * BYTES_A_SECOND) continue;
    days.set(day, (days.get(day) ?? 0n) + grown);
    good = { up, down, ms: Math.max(good.ms, measuredMs) };
  }
  return days;
}

/** Bytes by `session day`: each number of a gateway and session once, as it was said first. */
async function readGateways(path: string): Promise<ReadonlyMap<string, bigint>> {
  const heard = new Set<string>();
  const carried = new Map<string, bigint>();
  for await (const text of createInterface({ input: createReadStream(path) })) {
    const { gateway, at, status, reports } = JSON.parse(text) as GatewayLine;
    if (status >= 300) continue;
    for (const { session_id: session, seq, measured_at, bytes_up, bytes_down } of reports) {
      const number = `${gateway} ${session} ${seq}`;
      if (heard.has(number)) continue;
      heard.add(number);
      const day = dayOf(Date.parse(measured_at));
      if (Date.parse(at) >= closes(day)) continue;
      const key = `${session} ${day}`;
      carried.set(key, (carried.get(key) ?? 0n) + BigInt(bytes_up) + BigInt(bytes_down));
    }
  }
  return carried;
}
