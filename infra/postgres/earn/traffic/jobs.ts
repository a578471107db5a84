import type pg from 'pg';
import { z } from 'zod';
import { SessionId } from '../../../../domain/earn/ids.ts';
import { type SingleJobRow, singleJobs } from '../../job/single.ts';

/** Whose reports are to be metered. */
interface MeterWork {
  readonly sessionId: SessionId;
}

const Payload = z.object({ session_id: SessionId });

export const trafficJobs = (pool: pg.Pool) =>
  singleJobs<SingleJobRow, MeterWork>(pool, {
    kind: 'traffic-report',
    work: ({ payload }) => {
      const read = Payload.safeParse(payload);
      return read.success ? { sessionId: read.data.session_id } : null;
    },
  });
