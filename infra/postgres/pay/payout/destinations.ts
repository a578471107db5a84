import { v7 as uuidv7 } from 'uuid';
import { DestinationId } from '../../../../domain/pay/ids.ts';
import type { Destinations } from '../../../../domain/pay/payout/port.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { DestinationSecrets } from '../../../pay/destination-secrets.ts';
import type { Queryable } from '../../engine/transaction.ts';
import { refusing } from '../money-faults.ts';

interface Parts {
  readonly book: ProjectId;
  readonly secrets: DestinationSecrets;
}

/** Cards and accounts of payees. A token is encrypted to the id of its row, and known by its hash. */
export function destinationStore({ book, secrets }: Parts): Destinations<Queryable> {
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
  };
}

const add = `select payout_destination_add($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as id`;
