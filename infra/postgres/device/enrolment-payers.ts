import type pg from 'pg';
import type { EnrolmentPayers } from '../../../domain/device/port.ts';
import type { ProjectId } from '../../../domain/job/job.ts';
import { ProjectSettings } from '../../../domain/project/settings.ts';
import { sha256 } from '../../crypto.ts';

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
      const { rowCount } = await pool.query(chargeDay, [projectId, dayOf(at), micros, dailyBudgetMicros]);
      return rowCount === 1;
    },
    refund: async ({ projectId }, micros, at) => {
      await pool.query(refundDay, [projectId, dayOf(at), micros]);
    },
  };
}

/** As the budgets of all paid messages. */
const dayOf = (at: Date) => at.toISOString().slice(0, 10);

const findPayer = `
select p.id, p.settings from enrolment e
join recipient r on r.id = e.recipient_id join project p on p.id = r.project_id
where e.token_hash = $1 and e.person_id is null`;

/** Whoever comes second waits for the first at the day's row, and is measured against what stands there then. */
const chargeDay = `
insert into paid_spend (project_id, day, spent_micros) select $1, $2, $3::bigint where $3::bigint <= $4::bigint
on conflict (project_id, day) do update set spent_micros = paid_spend.spent_micros + excluded.spent_micros
where paid_spend.spent_micros + excluded.spent_micros <= $4::bigint`;

const refundDay = `
update paid_spend set spent_micros = greatest(0, spent_micros - $3::bigint) where project_id = $1 and day = $2`;
