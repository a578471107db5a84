import { type RequestHandler, Router } from 'express';
import { JobId } from '../../../domain/shared/ids.ts';
import type { CallbackName, CallbackReader } from '../../../domain/verify/callback.ts';
import type { Deliveries } from '../../../domain/verify/deliveries.ts';
import type { QuotaCounter } from '../../../domain/project/quota.ts';
import { readBody } from '../../http/body.ts';
import { callerAddress } from '../../http/express.ts';
import { Problem } from '../../http/problem.ts';
import { limitCallbacks } from '../../http/rate-limit.ts';

export interface CallbackDeps {
  /** By the word in the address. */
  readonly readers: Readonly<Partial<Record<CallbackName, CallbackReader>>>;
  readonly deliveries: Deliveries;
  /** Wakes a job that waits for its confirmation. */
  readonly wake: (jobId: JobId) => void;
  /** Our origin, as providers call it: their signatures are over the whole URL. */
  readonly publicUrl: string;
  readonly counter: QuotaCounter;
  /** The time of the world, by which providers sign. */
  readonly now: () => Date;
  /** Proxies in front of us whose `X-Forwarded-For` counts. */
  readonly proxies: number;
}

const ATTEMPT_MAX = 10_000;

/** What providers report of messages they took; each report is checked by its signature. */
export function callbackRouter(deps: CallbackDeps): Router {
  const handle: RequestHandler = async (req, res, next) => {
    const name = req.params['name'] as CallbackName;
    const reader = Object.hasOwn(deps.readers, name) ? deps.readers[name] : undefined;
    // Others have providers that call, too; what is nobody's is 404.
    if (!reader) return next();
    const jobId = JobId.safeParse(req.params['jobId']).data;
    const attempt = Number(req.params['attempt']);
    if (!jobId || !Number.isInteger(attempt) || attempt < 1 || attempt > ATTEMPT_MAX)
      throw new Problem(404, 'not-found', 'There is no such callback.');

    const called = { url: deps.publicUrl + req.originalUrl, headers: req.headers, jobId, attempt };
    if (!reader.isSigned(called)) throw forged();
    await limitCallbacks(deps.counter, callerAddress(req, deps.proxies), res);
    const body = await readBody(req);
    const reading = reader.read({ ...called, body }, deps.now());
    if (reading.kind === 'forged') throw forged();
    if (reading.kind === 'report') {
      const recorded = await deps.deliveries.record({
        jobId,
        attempt,
        provider: reader.provider,
        reference: reading.reference,
        report: reading.report,
      });
      if (recorded === 'unknown-attempt') throw new Problem(404, 'not-found', 'There is no such attempt.');
      if (recorded === 'wake') deps.wake(jobId);
    }
    // Only 200 acknowledges at the Gateway; a form that we can't read would come back unreadable.
    res.status(200).json({ ok: true });
  };
  return Router().post('/callbacks/:name/:jobId/:attempt', handle);
}

const forged = () => new Problem(403, 'bad-signature', 'The signature is not the provider’s.');
