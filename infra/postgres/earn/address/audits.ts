import type pg from 'pg';
import type { FilterAudit, FilterAudits } from '../../../../domain/earn/address/port.ts';
import { SessionId } from '../../../../domain/earn/ids.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { pageOf } from '../../../../domain/shared/page.ts';

export const filterAudits = (pool: pg.Pool, book: ProjectId): FilterAudits => ({
  list: async (of, { limit, after }) => {
    const { rows } = await pool.query<AuditRow>(list, [book, of, after, limit + 1]);
    return pageOf(rows.map(auditOf), limit);
  },
});

interface AuditRow {
  readonly id: string;
  readonly session_id: string;
  readonly person_id: string;
  readonly address: string | null;
  readonly class: FilterAudit['class'];
  readonly verdict: FilterAudit['verdict'];
  readonly reason: string | null;
  readonly evidence: unknown;
  readonly data_at: Date | null;
  readonly at: Date;
}

const list = `
select a.id, a.session_id, a.person_id, host(a.address) as address, a.class, a.verdict, a.reason, a.evidence, a.data_at, a.at
from filter_audit a
where a.project_id = $1 and ($2::uuid is null or a.session_id = $2) and ($3::uuid is null or a.id < $3) order by a.id desc limit $4`;

const auditOf = (row: AuditRow): FilterAudit => ({
  id: row.id,
  sessionId: SessionId.parse(row.session_id),
  personId: row.person_id,
  address: row.address,
  class: row.class,
  verdict: row.verdict,
  reason: row.reason,
  evidence: row.evidence,
  dataAt: row.data_at,
  at: row.at,
});
