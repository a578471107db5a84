import type pg from 'pg';
import { METER_SESSIONS_MAX } from '../../../../domain/earn/traffic/job.ts';
import type { SessionId } from '../../../../domain/earn/ids.ts';
import type { WaitingSessions } from '../../../../domain/earn/traffic/port.ts';
import type { JobId, ProjectId } from '../../../../domain/shared/ids.ts';
import { type SingleJobRow, singleJobs } from '../../job/single.ts';

/** Whose sessions are to be metered. */
interface MeterWork {
  readonly jobId: JobId;
}

export const trafficJobs = (pool: pg.Pool) =>
  singleJobs<SingleJobRow, MeterWork>(pool, { kind: 'traffic-report', work: ({ id }) => ({ jobId: id }) });

export const waitingSessions =
  (pool: pg.Pool, book: ProjectId): WaitingSessions =>
  async (jobId, after) => {
    const { rows } = await pool.query<{ id: SessionId }>(waiting, [jobId, book, after, METER_SESSIONS_MAX]);
    return rows.map(({ id }) => id);
  };

const waiting = `
select id from traffic_session where job_id = $1 and project_id = $2 and ($3::uuid is null or id > $3) order by id limit $4`;
