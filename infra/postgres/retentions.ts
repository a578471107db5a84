import { earnRetention } from './earn/retention.ts';
import type { Retention } from './engine/retention.ts';
import { supportRetention } from './earn/support/retention.ts';
import { identityRetention } from './identity/retention.ts';
import { jobRetention } from './job/retention.ts';
import { messageRetention } from './message/retention.ts';
import { projectRetention } from './project/retention.ts';
import { staffRetention } from './staff/retention.ts';
import { verifyRetention } from './verify/retention.ts';
import { webhookRetention } from './webhook/retention.ts';

/** What each context no longer keeps, jobs first: subjects leave after their jobs. */
export const retentions: readonly Retention[] = [
  jobRetention,
  verifyRetention,
  webhookRetention,
  messageRetention,
  supportRetention,
  projectRetention,
  identityRetention,
  staffRetention,
  earnRetention,
];
