import type pg from 'pg';
import type { PersonBindings } from '../../../../domain/pay/link/person-bindings.ts';
import type { OpenBinding, PayoutLinks } from '../../../../domain/pay/link/port.ts';
import type { Destinations } from '../../../../domain/pay/payout/port.ts';
import { MoneyRefusedError } from '../../../../domain/pay/refusals.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { Phone } from '../../../../domain/shared/phone.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';

interface Parts {
  readonly pool: pg.Pool;
  readonly book: ProjectId;
  readonly destinations: Pick<Destinations<Queryable>, 'add'>;
}

/** Cards that people bind for themselves. */
export function personBindings(parts: Parts): PersonBindings {
  const { pool, book } = parts;
  return {
    phoneOf: async (personId) => {
      const { rows } = await pool.query<{ phone: string }>(readPhone, [personId]);
      return (rows[0]?.phone as Phone | undefined) ?? null;
    },
    begin: async ({ personId, phone, bindingId }) => {
      const { rows } = await pool.query<{ begun: 'begun' | 'too-many' }>(
        'select payout_person_binding_begin($1, $2, $3, $4) as begun',
        [bindingId, book, personId, phone],
      );
      return rows[0]?.begun ?? 'too-many';
    },
    opened: async (bindingId, session) => {
      await pool.query('select payout_person_binding_opened($1, $2)', [bindingId, session]);
    },
    open: async (personId, now) => {
      const { rows } = await pool.query<{ id: string }>(readOpen, [personId, now]);
      return rows[0]?.id ?? null;
    },
    binding: async (bindingId): Promise<OpenBinding | null> => {
      const { rows } = await pool.query<BindingRow>(readBinding, [bindingId]);
      const [row] = rows;
      return row
        ? { session: row.session, phone: row.phone as Phone, payeeName: null, isEnded: row.ended }
        : null;
    },
    bind: (...of) => bind(parts, ...of),
  };
}

interface BindingRow {
  readonly person_id: string;
  readonly session: string;
  readonly phone: string;
  readonly ended: boolean;
}

const readPhone = `select x.phone from person_phone x where x.person_id = $1 order by x.proven_at desc, x.phone limit 1`;
const readOpen = `
select b.id from payout_person_binding b
where b.person_id = $1 and b.session is not null and b.ended_at is null and b.begun_at > $2::timestamptz - interval '1 hour' order by b.begun_at desc limit 1`;
const readBinding = `
select b.person_id, b.session::text as session, b.phone, b.ended_at is not null as ended from payout_person_binding b
where b.id = $1 and b.session is not null`;

/** The card and the end of its form, in one commit: the same card again is the one that there is. */
async function bind(
  { pool, destinations }: Parts,
  bindingId: string,
  card: Parameters<PayoutLinks['bind']>[1],
  { phone }: Parameters<PayoutLinks['bind']>[2],
): ReturnType<PayoutLinks['bind']> {
  const { token, last4, holderName, pinfl } = card;
  const phoneMatches = card.phone === null ? null : card.phone === phone;
  try {
    await inTransaction(pool, async (tx) => {
      const { rows } = await tx.query<BindingRow>(readBinding, [bindingId]);
      const personId = rows[0]?.person_id;
      if (personId === undefined) throw new MoneyRefusedError({ kind: 'unknown' });
      const of = { payee: { personId }, rail: 'multicard', last4, holderName, phoneMatches, pinfl } as const;
      await destinations.add(tx, { ...of, token: token.reveal() });
      await tx.query('select payout_person_binding_end($1)', [bindingId]);
    });
    return { ok: true };
  } catch (error) {
    if (error instanceof MoneyRefusedError) return { ok: false, refusal: error.refusal };
    throw error;
  }
}
