import type pg from 'pg';
import type {
  Claim,
  Claimed,
  Dispatches,
  Moved,
  MoveOrder,
  NumberedCall,
} from '../../../../domain/pay/dispatch/port.ts';
import { unpayableReasons } from '../../../../domain/pay/dispatch/dispatch.ts';
import { RailToken } from '../../../../domain/pay/rail/port.ts';
import type { Encryption } from '../../../process/crypto.ts';
import { batcher } from '../../engine/batcher.ts';
import { payoutJobs } from './jobs.ts';

/** As many as a worker has in hand; the functions take 200. */
const BATCH_MAX = 100;
/** Both lock the row of the rail: a second batch on its way would wait for the first. */
const BATCHES_IN_FLIGHT_MAX = 1;

const sized = { sizeMax: BATCH_MAX, inFlightMax: BATCHES_IN_FLIGHT_MAX };

/** Dispatches as the worker of `payout` sees and changes them. */
export function dispatchStore(pool: pg.Pool, encryption: Encryption): Dispatches {
  return {
    read: payoutJobs(pool),
    claim: batcher({
      name: 'claim-dispatch',
      ...sized,
      run: (claims: readonly Claim[]) => claimAll(pool, encryption, claims),
    }),
    move: batcher({
      name: 'move-dispatch',
      ...sized,
      run: (orders: readonly MoveOrder[]) => moveAll(pool, orders),
    }),
  };
}

interface ClaimRow {
  readonly refusal: string | null;
  readonly call: number | null;
  readonly attempt: number | null;
  readonly reference: string | null;
  readonly opened_at: Date | null;
  readonly token_encrypted: Buffer | null;
  readonly destination: string | null;
}

async function claimAll(
  pool: pg.Pool,
  encryption: Encryption,
  claims: readonly Claim[],
): Promise<readonly Claimed[]> {
  const { rows } = await pool.query<ClaimRow>({
    name: 'claim-dispatches',
    text: claimDispatches,
    values: [
      claims.map(({ dispatch }) => dispatch.id),
      claims.map(({ dispatch }) => dispatch.version),
      claims.map(({ what }) => what),
      claims.map(({ attempt }) => attempt),
    ],
  });
  return claims.map((claim, index) => claimedOf(claim, rows[index], encryption));
}

const claimDispatches = `
select refusal, call, attempt, reference, opened_at, token_encrypted, destination from dispatch_claim($1, $2, $3, $4) order by item`;

function claimedOf(claim: Claim, row: ClaimRow | undefined, encryption: Encryption): Claimed {
  if (!row) throw new Error('dispatch_claim answered fewer rows than it was asked for');
  const { refusal, call: n, attempt, reference, opened_at: openedAt, token_encrypted: token } = row;
  if (refusal === null && n !== null && attempt !== null && reference !== null && openedAt !== null)
    return {
      kind: 'opened',
      call: openCall(n, claim.what, attempt, openedAt),
      reference,
      token: token && row.destination ? tokenOf(encryption, token, row.destination) : null,
    };
  if (refusal === 'lost') return { kind: 'lost' };
  if (refusal === 'paused' || refusal === 'stopped' || refusal === 'full')
    return { kind: 'later', because: refusal, lookFor: attempt };
  const because = unpayableReasons.find((reason) => reason === refusal);
  if (!because) throw new Error(`dispatch_claim refused with ${refusal}`);
  return { kind: 'unpayable', because, lookFor: attempt };
}

/** Null where its key is gone. The calls of the batch are committed: to throw here would lose the others too. */
function tokenOf(encryption: Encryption, encrypted: Buffer, destination: string): RailToken | null {
  try {
    return new RailToken(encryption.decrypt(encrypted, destination));
  } catch {
    return null;
  }
}

const openCall = (n: number, what: NumberedCall['what'], attempt: number, openedAt: Date): NumberedCall => ({
  n,
  what,
  attempt,
  openedAt,
  closedAt: null,
  outcome: null,
  status: null,
  because: null,
});

interface MoveRow {
  readonly result: string;
  readonly call: number | null;
  readonly opened_at: Date | null;
}

async function moveAll(pool: pg.Pool, orders: readonly MoveOrder[]): Promise<readonly Moved[]> {
  const { rows } = await pool.query<MoveRow>({
    name: 'move-dispatches',
    text: 'select result, call, opened_at from dispatch_move($1) order by item',
    values: [JSON.stringify(orders.map(moveJson))],
  });
  return orders.map(({ dispatch }, index): Moved => {
    const row = rows[index];
    if (row?.result === 'moved' || row?.result === 'lost') return { kind: row.result };
    if (row?.result !== 'confirming' || row.call === null || row.opened_at === null)
      throw new Error(`dispatch_move answered ${row?.result}`);
    return {
      kind: 'confirming',
      call: openCall(row.call, 'confirm', dispatch.attempt, row.opened_at),
    };
  });
}

function moveJson({ dispatch, ended, move, railUuid, commission }: MoveOrder): object {
  const heard = ended?.heard;
  return {
    dispatch: dispatch.id,
    version: dispatch.version,
    call: ended?.call.n,
    outcome: heard?.kind,
    status: heard?.kind === 'answered' ? heard.status : undefined,
    because: heard?.kind === 'refused' ? heard.because : undefined,
    answer: ended?.kept,
    rail_uuid: railUuid,
    commission: commission?.toString(),
    to: move.to,
    next_at: move.nextAt,
    reason: move.reason,
    confirms: move.confirms,
    stops_rail: move.stopsRail,
  };
}
