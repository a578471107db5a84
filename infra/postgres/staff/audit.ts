import type { ClientBase, Pool } from 'pg';
import { type AuditEntry, AuditLine, type AuditLog } from '../../../domain/staff/audit.ts';

export function auditLog(pool: Pool): AuditLog {
  return {
    write: (entry) => writeAudit(pool, entry),

    async page({ actor, action, subject }, limit, after) {
      // Not `order by id`: that is the answer's column, a text, in which the tenth row stands before the second.
      const { rows } = await pool.query(
        `select id::text, at, actor, action, subject, detail
           from audit
          where ($1::bigint is null or id < $1)
            and ($2::text is null or actor = $2)
            and ($3::text is null or action = $3)
            and ($4::text is null or subject = $4)
          order by audit.id desc
          limit $5`,
        [after, actor ?? null, action ?? null, subject ?? null, limit],
      );
      return AuditLine.array().parse(rows);
    },
  };
}

/** Takes a client too, so that a command and its audit row are one commit. When it was done, the database says. */
export async function writeAudit(
  on: Pool | ClientBase,
  { by, action, subject, detail }: AuditEntry,
): Promise<void> {
  const [staffId, actor] = typeof by === 'string' ? [null, by] : [by.id, by.email];
  await on.query('insert into audit (staff_id, actor, action, subject, detail) values ($1, $2, $3, $4, $5)', [
    staffId,
    actor,
    action,
    subject,
    JSON.stringify(detail),
  ]);
}
