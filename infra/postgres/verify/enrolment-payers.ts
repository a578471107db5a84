import type pg from 'pg';
import type { EnrolmentPayers } from '../../../domain/identity/device/port.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { ProjectSettings } from '../../../domain/settings.ts';
import { sha256 } from '../../process/crypto.ts';
import { lockBudgets } from './budgets.ts';
import { inTransaction } from '../engine/transaction.ts';
import { dayOf } from '../../../domain/shared/time.ts';

export function enrolmentPayers(pool: pg.Pool): EnrolmentPayers {
  return {
    of: async (token) => {
      const { rows } = await pool.query<{ id: ProjectId; settings: unknown }>(findPayer, [sha256(token)]);
      const [payer] = rows;
      if (!payer) return null;
      const { sms_daily_budget_micros: dailyBudgetMicros } = ProjectSettings.parse(payer.settings);
      return { projectId: payer.id, dailyBudgetMicros };
    },
    charge: async ({ projectId, dailyBudgetMicros }, micros, at) => {
      const charged = await inTransaction(pool, async (tx) => {
        await tx.query(lockBudgets, [[projectId]]);
        return tx.query(chargeDay, [projectId, dayOf(at), micros, dailyBudgetMicros]);
      });
      return charged.rowCount === 1;
    },
    refund: async ({ projectId }, micros, at) => {
      await pool.query(refundDay, [projectId, dayOf(at), micros]);
    },
  };
}

/** As the budgets of all paid messages. */

const findPayer = `
select p.id, p.settings from enrolment e
join recipient r on r.id = e.recipient_id join project p on p.id = r.project_id
where e.token_hash = $1 and e.person_id is null`;

/** Beside what accepted sends may still need. Two at one moment wait for each other at the lock. */
const chargeDay = `
with spend as (
  select coalesce((select spent_micros from paid_spend where project_id = $1 and day = $2), 0) + coalesce((
    select sum(reserved_micros) from job where project_id = $1 and finished_at is null and reserved_micros > 0), 0) micros)
insert into paid_spend (project_id, day, spent_micros) select $1, $2, $3::bigint from spend where micros + $3::bigint <= $4::bigint
on conflict (project_id, day) do update set spent_micros = paid_spend.spent_micros + excluded.spent_micros`;

const refundDay = `
update paid_spend set spent_micros = greatest(0, spent_micros - $3::bigint) where project_id = $1 and day = $2`;
