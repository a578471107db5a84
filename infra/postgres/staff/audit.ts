import type { EntityManager } from '@mikro-orm/postgresql';
import type { ClientBase, Pool } from 'pg';
import { type AuditEntry, AuditLine, type AuditLog, type Audits } from '../../../domain/staff/audit.ts';

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
export async function writeAudit(on: Pool | ClientBase, entry: AuditEntry): Promise<void> {
  await on.query(
    'insert into audit (staff_id, actor, action, subject, detail) values ($1, $2, $3, $4, $5)',
    valuesOf(entry),
  );
}

/** Of what a transaction did, in its commit. @returns how it ended. */
export async function audited<Result>(
  tx: Pool | ClientBase,
  result: Result,
  audits: Audits<Result>,
): Promise<Result> {
  for (const entry of audits(result)) await writeAudit(tx, entry);
  return result;
}

/** The same in a transaction of the ORM's. */
export async function auditedByOrm<Result>(
  tx: EntityManager,
  result: Result,
  audits: Audits<Result>,
): Promise<Result> {
  for (const entry of audits(result))
    await tx.execute(
      'insert into audit (staff_id, actor, action, subject, detail) values (?, ?, ?, ?, ?)',
      valuesOf(entry),
    );
  return result;
}

function valuesOf({ by, action, subject, detail }: AuditEntry) {
  const [staffId, actor] = typeof by === 'string' ? [null, by] : [by.id, by.email];
  return [staffId, actor, action, subject, JSON.stringify(detail)];
}
