import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { DestinationId } from '../../../../domain/pay/ids.ts';
import type { Destinations, DestinationView } from '../../../../domain/pay/payout/port.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { DestinationSecrets } from '../../../pay/destination-secrets.ts';
import type { Queryable } from '../../engine/transaction.ts';
import { refusing } from '../money-faults.ts';

interface Parts {
  readonly pool: pg.Pool;
  readonly book: ProjectId;
  readonly secrets: DestinationSecrets;
}

/** Cards and accounts of payees. A token is encrypted to the id of its row, and known by its hash. */
export function destinationStore({ pool, book, secrets }: Parts): Destinations<Queryable> {
  return {
    add: async (tx, { payee, rail, token, last4, holderName, phoneMatches, pinfl }) => {
      const id = uuidv7();
      const { rows } = await refusing(
        tx.query<{ id: string }>(add, [
          book,
          'personId' in payee ? payee.personId : null,
          'phone' in payee ? payee.phone : null,
          rail,
          secrets.encrypt(token, id),
          secrets.holderOf(token),
          last4,
          holderName,
          phoneMatches,
          pinfl === null ? null : secrets.pinflOf(pinfl),
          id,
        ]),
      );
      return DestinationId.parse(rows[0]?.id);
    },
    remove: async (tx, id, personId) => {
      await refusing(tx.query('select payout_destination_remove($1, $2)', [id, personId]));
    },
    of: async (payee) => {
      const { rows } = await pool.query<DestinationView>(inUse, [
        book,
        'personId' in payee ? payee.personId : null,
        'phone' in payee ? payee.phone : null,
      ]);
      return rows;
    },
    tokenOf: (id, tokenHash) => tokenOf({ pool, book, secrets }, id, tokenHash),
  };
}

const add = `select payout_destination_add($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as id`;

async function tokenOf(
  { pool, book, secrets }: Parts,
  id: DestinationId,
  tokenHash: Buffer,
): Promise<string> {
  const { rows } = await pool.query<{ encrypted: Buffer }>(readToken, [book, id]);
  const [row] = rows;
  if (!row) throw new Error(`no destination ${id}`);
  const token = secrets.decrypt(row.encrypted, id);
  if (!secrets.holderOf(token).equals(tokenHash))
    throw new Error(`the token of destination ${id} is not the one that was approved`);
  return token;
}

const inUse = `
select id, rail, last4, holder_name as "holderName", usable_from as "usableFrom", distrusted_at is not null as distrusted
from payout_destination where project_id = $1 and removed_at is null and (person_id = $2 or phone = $3) order by id`;

const readToken = `select token_encrypted as encrypted from payout_destination where project_id = $1 and id = $2`;
