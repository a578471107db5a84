import { type RequestHandler, Router } from 'express';
import { MULTICARD_PAYMENTS_PATH } from '../../../domain/pay/rail/callback-paths.ts';
import type { CardRail } from '../../../domain/pay/rail/port.ts';
import type { QuotaCounter } from '../../../domain/project/quota.ts';
import type { JobId } from '../../../domain/shared/ids.ts';
import { readBody } from '../../http/body.ts';
import { callerAddress } from '../../http/express.ts';
import { Problem } from '../../http/problem.ts';
import { limitCallbacks } from '../../http/rate-limit.ts';

export interface RailWebhookDeps {
  /** Null where no rail is set up. */
  readonly rail: Pick<CardRail, 'readWebhook'> | null;
  /** Has the payment asked about sooner; its job, or null where nothing is to be asked. */
  readonly look: (reference: string) => Promise<JobId | null>;
  readonly wake: (jobId: JobId) => void;
  readonly counter: QuotaCounter;
  /** Proxies in front of us whose `X-Forwarded-For` counts. */
  readonly proxies: number;
}

/**
 * What the rail tells of payments. Its signature does not cover the status, so that nothing of it is believed: the payment is read a moment sooner, and that is
 * all that a forged, repeated, early or strange one could do.
 */
export function railWebhooks({ rail, look, wake, counter, proxies }: RailWebhookDeps): Router {
  const handle: RequestHandler = async (req, res) => {
    await limitCallbacks(counter, callerAddress(req, proxies), res);
    const notice = rail?.readWebhook(await readBody(req)) ?? { kind: 'forged' };
    if (notice.kind === 'forged') throw new Problem(403, 'bad-signature', 'The signature is not the rail’s.');
    if (notice.kind === 'look') {
      const jobId = await look(notice.reference);
      if (jobId) wake(jobId);
    }
    // What can't be read would come back unreadable.
    res.status(200).json({ ok: true });
  };
  return Router().post(MULTICARD_PAYMENTS_PATH, handle);
}
