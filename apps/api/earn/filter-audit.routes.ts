import { z } from 'zod';
import { addressClasses } from '../../../domain/earn/address/class.ts';
import type { FilterAudit, FilterAudits } from '../../../domain/earn/address/port.ts';
import { SessionId } from '../../../domain/earn/ids.ts';
import { verdicts } from '../../../domain/earn/traffic/counterpart.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { defineAdminRoute } from '../../http/route.ts';

export interface FilterAuditDeps {
  readonly audits: FilterAudits;
}

const AuditBody = z
  .object({
    id: z.uuid(),
    session_id: z.uuid().meta({ description: 'The session.' }),
    person_id: z.uuid().meta({ description: 'Whose it is.' }),
    address: z
      .string()
      .nullable()
      .meta({ description: 'Where it was heard of from; null once it is no longer kept.' }),
    class: z.enum(addressClasses).meta({ description: 'What the address is.' }),
    verdict: z.enum(verdicts).meta({ description: 'What becomes of the session from then on.' }),
    reason: z.string().nullable().meta({ description: 'Why it is not simply paid; null where it is.' }),
    evidence: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'What was known of the address; null once it is no longer kept.' }),
    data_at: z.date().nullable().meta({
      description: 'When the oldest of the files was made that were asked; null where there were none.',
    }),
    data_age_days: z
      .int()
      .nullable()
      .meta({ description: 'How old they were, in whole days; null where there were none.' }),
    at: z.date().meta({ description: 'When.' }),
  })
  .meta({ id: 'FilterAudit' });

const DAY_MS = 86_400_000;

const auditBody = (one: FilterAudit) => ({
  id: one.id,
  session_id: one.sessionId,
  person_id: one.personId,
  address: one.address,
  class: one.class,
  verdict: one.verdict,
  reason: one.reason,
  evidence: one.evidence,
  data_at: one.dataAt,
  data_age_days: one.dataAt && Math.max(0, Math.floor((one.at.getTime() - one.dataAt.getTime()) / DAY_MS)),
  at: one.at,
});

export const filterAuditRoute = ({ audits }: FilterAuditDeps) =>
  defineAdminRoute({
    method: 'get',
    path: '/api/admin/filter_audits',
    tag: 'Traffic reviews',
    summary: 'List what the address filter changed',
    description: 'Each change of what becomes of a session because of where it came from, for 90 days.',
    action: 'finance.read',
    query: z.object({
      ...pageQuery,
      session_id: SessionId.optional().meta({ description: 'Of this session alone.' }),
    }),
    answers: { 200: { description: 'The newest first.', schema: pageSchema(AuditBody) } },
    async handle({ query }) {
      const page = await audits.list(query.session_id ?? null, pageOrder(query));
      return { status: 200, body: pageBody(page, auditBody) };
    },
  });
