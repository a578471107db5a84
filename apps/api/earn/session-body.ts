import { z } from 'zod';
import type { TrafficSession } from '../../../domain/earn/traffic/port.ts';

export const SessionBody = z
  .object({
    id: z.uuid(),
    installation_id: z.uuid(),
    started_at: z.date(),
    ended_at: z.date().nullable().meta({ description: 'Null while it goes on.' }),
    reports: z.int().meta({ description: 'So many were taken.' }),
  })
  .meta({ id: 'TrafficSession' });

export const sessionBody = (one: TrafficSession) => ({
  id: one.id,
  installation_id: one.installationId,
  started_at: one.startedAt,
  ended_at: one.endedAt,
  reports: one.reports,
});
