import { randomBytes } from 'node:crypto';
import { openOrm } from '../../../infra/postgres/engine/orm.ts';
import { keyedHash } from '../../../infra/process/crypto.ts';
import { projectStore } from '../../../infra/postgres/project/projects.ts';

export interface ChaosProject {
  readonly id: string;
  readonly key: string;
}

/** A project whose limits never come into play: what counts is what was lost, not what was refused. */
export async function makeProject(databaseUrl: string, pepper: string, slug: string): Promise<ChaosProject> {
  const orm = await openOrm(databaseUrl);
  try {
    const projects = projectStore(orm.em, keyedHash(pepper));
    const now = new Date();
    const { project } = await projects.create(slug, now);
    const wide = {
      sms_daily_budget_micros: Number.MAX_SAFE_INTEGER,
      sends_per_hour: 100,
      requests_per_minute: 10_000_000,
    };
    await projects.changeCeilings(project.id, wide);
    await projects.changeSettings(project.id, wide);
    const text = `nbt_live_${randomBytes(24).toString('base64url')}`;
    const order = {
      access: 'secret',
      mode: 'live',
      scopes: ['otp', 'jobs', 'recipients', 'messages', 'webhooks'],
      expiresAt: null,
    } as const;
    const made = await projects.createKey(project.id, order, now, text);
    if (!made.created) throw new Error(`no key was made: ${made.reason}`);
    return { id: project.id, key: text };
  } finally {
    await orm.close(true);
  }
}
