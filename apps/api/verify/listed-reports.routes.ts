import { type RequestHandler, Router } from 'express';
import type { JobId } from '../../../domain/shared/ids.ts';
import type { ListingProvider, ReportListReader } from '../../../domain/verify/callback.ts';
import type { Deliveries } from '../../../domain/verify/deliveries.ts';
import type { QuotaCounter } from '../../../domain/project/quota.ts';
import { readBody } from '../../http/body.ts';
import { callerAddress } from '../../http/express.ts';
import { Problem } from '../../http/problem.ts';
import { limitCallbacks } from '../../http/rate-limit.ts';

export interface ListedReportDeps {
  /** By the word in the address. */
  readonly listed: Readonly<Partial<Record<ListingProvider, ReportListReader>>>;
  readonly deliveries: Deliveries;
  /** Wakes a job that waits for its confirmation. */
  readonly wake: (jobId: JobId) => void;
  /** Reports of messages that we know nothing of. */
  readonly countUnknown: (provider: ListingProvider, reports: number) => void;
  readonly counter: QuotaCounter;
  readonly now: () => Date;
  /** Proxies in front of us whose `X-Forwarded-For` counts. */
  readonly proxies: number;
}

/** 500: a body of 64 KiB holds about as many, and they are recorded within a second. */
const REPORTS_MAX = 500;

/** What a provider reports of many messages at one address, whose token is all that proves it. */
export function listedReportRouter(deps: ListedReportDeps): Router {
  const handle: RequestHandler = async (req, res) => {
    const name = req.params['name'] as ListingProvider;
    const reader = Object.hasOwn(deps.listed, name) ? deps.listed[name] : undefined;
    if (!reader) throw new Problem(404, 'not-found', 'There is no such callback.');
    const { token } = req.query;
    if (typeof token !== 'string' || !reader.isProven(token)) throw forged();
    await limitCallbacks(deps.counter, callerAddress(req, deps.proxies), res);
    const reports = reader.read(await readBody(req), deps.now()) ?? [];
    if (reports.length > REPORTS_MAX)
      throw new Problem(413, 'body-too-large', `The body may hold ${REPORTS_MAX} reports at most.`);
    let unknown = 0;
    for (const { reference, report } of reports) {
      const recorded = await deps.deliveries.recordListed({ provider: reader.provider, reference, report });
      if (recorded.kind === 'wake') deps.wake(recorded.jobId);
      if (recorded.kind === 'unknown-attempt') unknown++;
    }
    deps.countUnknown(reader.provider, unknown);
    // Whoever is told otherwise repeats the whole list; one that we can't read would come back unreadable.
    res.status(200).json({ ok: true });
  };
  return Router().post('/callbacks/:name', handle);
}

const forged = () =>
  new Problem(403, 'bad-signature', 'The token in the address is not the one agreed with the provider.');
