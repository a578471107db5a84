import { SessionId } from '../../../../domain/earn/ids.ts';
import type { KeptDay } from '../../../../domain/earn/traffic/explain.ts';
import type { MeteredDay } from '../../../../domain/earn/traffic/meter.ts';

/** Of `session_day d`. */
export const keptColumns = `
  d.session_id, d.day::text as day, d.bytes::text as bytes, d.payable::text as payable, d.tiyin_per_mb, d.micros::text as micros,
  d.gateway_bytes::text as gateway_bytes, d.verdict, d.reason, d.unpaid, d.closed_at,
  (d.posted_micros - d.taken_micros + d.given_micros)::text as in_ledger, d.taken_micros > d.given_micros as is_taken_back`;

export interface KeptDayRow {
  readonly session_id: string;
  readonly day: string;
  readonly bytes: string;
  readonly payable: string;
  readonly tiyin_per_mb: number;
  readonly micros: string;
  readonly gateway_bytes: string | null;
  readonly verdict: MeteredDay['verdict'];
  readonly reason: string | null;
  readonly unpaid: readonly { readonly reason: string; readonly bytes: string }[];
  readonly closed_at: Date | null;
  readonly in_ledger: string;
  readonly is_taken_back: boolean;
}

export const keptDayOf = (row: KeptDayRow): KeptDay => ({
  sessionId: SessionId.parse(row.session_id),
  day: row.day,
  bytes: BigInt(row.bytes),
  payable: BigInt(row.payable),
  tiyinPerMb: row.tiyin_per_mb,
  micros: BigInt(row.micros),
  gatewayBytes: row.gateway_bytes === null ? null : BigInt(row.gateway_bytes),
  verdict: row.verdict,
  reason: row.reason,
  unpaid: row.unpaid.map(({ reason, bytes }) => ({ reason, bytes: BigInt(bytes) })),
  closedAt: row.closed_at,
  postedMicros: BigInt(row.in_ledger),
  isTakenBack: row.is_taken_back,
});
