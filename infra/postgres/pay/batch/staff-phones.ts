import type { Phone } from '../../../../domain/shared/phone.ts';
import { refusing } from '../money-faults.ts';
import type { Queryable } from '../../engine/transaction.ts';

interface StaffPhone {
  readonly email: string;
  readonly phone: string;
  readonly declaredAt: Date;
}

/** The phones of members of staff: nobody makes, approves, corrects or settles what pays one of their own. Declared once and kept. */
export function staffPhones(db: Queryable) {
  return {
    /** At the command line. The same again changes nothing. */
    declare: async (staffId: string, phone: Phone): Promise<void> => {
      await refusing(db.query('select payout_handler_declare($1, $2, null)', [staffId, phone]));
    },
    list: async (): Promise<readonly StaffPhone[]> =>
      (
        await db.query<StaffPhone>(
          `select s.email, h.phone, h.declared_at "declaredAt" from payout_handler h join staff s on s.id = h.staff_id order by s.email, h.phone`,
        )
      ).rows,
  };
}
