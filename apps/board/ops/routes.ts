import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { AddressHash } from '../../../domain/staff/ops.ts';
import { findPhone } from '../../../domain/staff/phone-search.ts';
import { read, Text } from '../answer.ts';
import { type Guarding, requireFormToken } from '../guard.ts';
import { readForm } from '../form.ts';
import { auditRoutes } from './audit.ts';
import { chatRoutes } from './chats.ts';
import { failureRoutes } from './failures.ts';
import { link, sinceOf } from './filter.ts';
import { jobRoutes } from './jobs.ts';
import { queueRoutes } from './queues.ts';
import { overviewRoutes } from './overview.ts';
import type { OpsParts } from './parts.ts';
import { recipientRoutes } from './recipients.ts';
import { retryRoutes } from './retry.ts';

/** Everything under `/ops`, behind the policy. */
export function opsRoutes(parts: OpsParts & Guarding): Router {
  const router = Router()
    .use(readForm, requireFormToken(parts))
    .post('/search', (req, res) => search(parts, req, res))
    .use('/', overviewRoutes(parts))
    .use('/jobs', jobRoutes(parts))
    .use('/recipients', recipientRoutes(parts))
    .use('/failures', failureRoutes(parts))
    .use('/retry', retryRoutes(parts))
    .use('/queues', queueRoutes(parts))
    .use('/audit', auditRoutes(parts));
  const { chats } = parts;
  return chats ? router.use('/chats', chatRoutes({ ...parts, chats })) : router;
}

/** What is searched without an index: a week of jobs. */
const SEARCH_HOURS = 168;

/** One field for everything: an id leads to its page, a number to its timeline, anything else is text of an error or a request id. */
async function search(parts: OpsParts, req: Request, res: Response): Promise<void> {
  const { q } = read(z.object({ q: Text }), req.body);
  res.redirect(303, await whereIs(q, parts));
}

async function whereIs(q: string, { queries, addressOf, clock }: OpsParts): Promise<string> {
  if (q === '') return '/ops/jobs';
  if (AddressHash.safeParse(q).success) return `/ops/recipients/${q}`;
  const found = z.uuid().safeParse(q).success ? await queries.find(q) : null;
  if (found?.kind === 'job') return `/ops/jobs/${found.id}`;
  if (found?.kind === 'recipient') return `/ops/recipients/${found.address}`;
  const phone = findPhone(q);
  // An id's end may be digits alone and read as a number: what has such an end is looked for first.
  const looksLikeId = !phone || ID_END.test(q);
  const fits = looksLikeId
    ? await queries.jobs({ text: q, since: sinceOf(SEARCH_HOURS, clock()) }, 2, null)
    : [];
  const [only, second] = fits;
  if (only && !second) return `/ops/jobs/${only.id}`;
  if (phone && !only) return `/ops/recipients/${addressOf(phone.e164)}`;
  return link('/ops/jobs', { text: q, hours: SEARCH_HOURS });
}

/** The last group of a UUID, as lists print it. */
const ID_END = /^…?[0-9a-f]{12}$/i;
