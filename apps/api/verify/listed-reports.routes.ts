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
  /** How many reports of one post are of messages that we know nothing of, and how many are in no form that we know. */
  readonly onUnused: (
    provider: ListingProvider,
    reports: { readonly unknown: number; readonly unreadable: number },
  ) => void;
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
    const { provider } = reader;
    const { entries, reports, unreadable } = reader.read(await readBody(req), deps.now());
    if (entries > REPORTS_MAX)
      throw new Problem(413, 'body-too-large', `The body may hold ${REPORTS_MAX} reports at most.`);
    const recorded = await deps.deliveries.recordListed(provider, reports);
    for (const one of recorded) if (one.kind === 'wake') deps.wake(one.jobId);
    const unknown = recorded.filter(({ kind }) => kind === 'unknown-attempt').length;
    deps.onUnused(provider, { unknown, unreadable });
    // Whoever is told so repeats the whole list, of which what is recorded changes nothing.
    const failed = recorded.find((one) => one.kind === 'failed');
    if (failed) throw failed.error;
    // One that we can't read would come back unreadable.
    res.status(200).json({ ok: true });
  };
  return Router().post('/callbacks/:name', handle);
}

const forged = () =>
  new Problem(403, 'bad-signature', 'The token in the address is not the one agreed with the provider.');
