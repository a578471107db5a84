import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { parsePhone } from '../../../domain/otp/phone.ts';
import { AddressHash } from '../../../domain/staff/ops.ts';
import { read, Text } from '../answer.ts';
import { type Guarding, requireFormToken } from '../guard.ts';
import { readForm } from '../form.ts';
import { auditRoutes } from './audit.ts';
import { failureRoutes } from './failures.ts';
import { link } from './filter.ts';
import { jobRoutes } from './jobs.ts';
import { laneRoutes } from './lanes.ts';
import { overviewRoutes } from './overview.ts';
import type { OpsParts } from './parts.ts';
import { recipientRoutes } from './recipients.ts';
import { retryRoutes } from './retry.ts';

/** Everything under `/ops`, behind the policy. */
export function opsRoutes(parts: OpsParts & Guarding): Router {
  return Router()
    .use(readForm, requireFormToken(parts))
    .post('/search', (req, res) => search(parts, req, res))
    .use('/', overviewRoutes(parts))
    .use('/jobs', jobRoutes(parts))
    .use('/recipients', recipientRoutes(parts))
    .use('/failures', failureRoutes(parts))
    .use('/retry', retryRoutes(parts))
    .use('/lanes', laneRoutes(parts))
    .use('/audit', auditRoutes(parts));
}

/** One field for everything: an id leads to its page, a number to its timeline, anything else is text of an error. */
async function search({ queries, addressOf }: OpsParts, req: Request, res: Response): Promise<void> {
  const { q } = read(z.object({ q: Text }), req.body);
  if (q === '') return res.redirect(303, '/ops/jobs');
  const phone = parsePhone(q);
  if (phone) return res.redirect(303, `/ops/recipients/${addressOf(phone.e164)}`);
  if (AddressHash.safeParse(q).success) return res.redirect(303, `/ops/recipients/${q}`);
  const found = z.uuid().safeParse(q).success ? await queries.find(q) : null;
  if (found?.found === 'job') return res.redirect(303, `/ops/jobs/${found.id}`);
  if (found?.found === 'recipient') return res.redirect(303, `/ops/recipients/${found.address}`);
  res.redirect(303, link('/ops/jobs', { text: q, hours: 168 }));
}
