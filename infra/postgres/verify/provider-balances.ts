import type { Pool } from 'pg';
import { BALANCE_CURRENCY, type ProviderBalances } from '../../../domain/verify/provider-balance.ts';

/** What the accounts at providers hold, for staff. Of several workers who asks last is believed. */
export function providerBalances(pool: Pool, now: () => Date, lowBelowMicros: bigint): ProviderBalances {
  return {
    record: async (provider, reading) => {
      if (reading.kind === 'nothing-new') return;
      const isTold = reading.kind === 'told';
      await pool.query({
        name: 'record-balance',
        text: recordBalance,
        values: [
          provider,
          isTold ? (reading.micros?.toString() ?? null) : null,
          isTold ? null : reading.reason,
          now(),
          lowBelowMicros.toString(),
          BALANCE_CURRENCY,
        ],
      });
    },
  };
}

/** An unanswered question leaves the balance as it was told last. */
const recordBalance = `
with w as (
  select $1::text as provider, $2::bigint as micros, $3::text as error, $4::timestamptz as at, $5::bigint as low_below, $6::text as currency)
insert into provider_balance as b (provider, micros, error, asked_at, low_below_micros, currency, told_at, low_since, failing_since)
select provider, micros, error, at, low_below, currency, case when error is null then at end, case when micros < low_below then at end,
  case when error is not null then at end from w
on conflict (provider) do update set
  micros = case when excluded.error is null then excluded.micros else b.micros end,
  told_at = coalesce(excluded.told_at, b.told_at),
  low_since = case when excluded.error is not null then b.low_since when excluded.micros < excluded.low_below_micros then coalesce(b.low_since, excluded.asked_at) end,
  low_below_micros = excluded.low_below_micros, currency = excluded.currency, asked_at = excluded.asked_at,
  error = excluded.error, failing_since = case when excluded.error is not null then coalesce(b.failing_since, excluded.asked_at) end
where b.asked_at <= excluded.asked_at`;
