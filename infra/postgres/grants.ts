import type { Grants } from './engine/grants.ts';
import { earnGrants } from './earn/grants.ts';
import { identityGrants } from './identity/grants.ts';
import { jobGrants } from './job/grants.ts';
import { messageGrants } from './message/grants.ts';
import { payGrants } from './pay/grants.ts';
import { projectGrants } from './project/grants.ts';
import { staffGrants } from './staff/grants.ts';
import { telegramGrants } from './telegram/grants.ts';
import { verifyGrants } from './verify/grants.ts';
import { webhookGrants } from './webhook/grants.ts';

/** MikroORM's own: a process reads which migrations ran. */
const engineGrants: Grants = { tables: { mikro_orm_migrations: { select: 'all' } } };

/**
 * What `navbat_app` may do, and nothing else: `migrate` brings a database to this list, and no process starts on one that differs. A
 * context's line is its `grants.ts`.
 */
export const grants: readonly Grants[] = [
  engineGrants,
  projectGrants,
  jobGrants,
  identityGrants,
  webhookGrants,
  staffGrants,
  telegramGrants,
  verifyGrants,
  messageGrants,
  payGrants,
  earnGrants,
];
