import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { afterAll } from 'vitest';
import type { SignedIn } from '../../../../../domain/identity/session/sessions.ts';
import type { ProjectId } from '../../../../../domain/shared/ids.ts';
import type { Phone } from '../../../../../domain/shared/phone.ts';
import { sessionTokens } from '../../../../../infra/identity/access-tokens.ts';
import { keyedHash } from '../../../../../infra/process/crypto.ts';
import { hotPool } from '../../../../../infra/postgres/engine/hot-pool.ts';
import { persons } from '../../../../../infra/postgres/identity/person/persons.ts';
import { sessions } from '../../../../../infra/postgres/identity/session/sessions.ts';
import { freshDatabase } from '../../../../support/servers.ts';

export const now = new Date('2026-01-15T10:00:00Z');
export const later = (seconds: number, from = now) => new Date(from.getTime() + seconds * 1_000);

/** People's sessions in a database of this file's own. */
export async function openSessions() {
  const jwk = {
    ...(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as { x: string; d: string }),
    kty: 'OKP' as const,
    crv: 'Ed25519' as const,
    kid: 'j1',
  };
  const hash = keyedHash(randomBytes(32).toString('base64url'));
  const database = await freshDatabase();
  const pool = hotPool(database.url, 20);
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });
  const store = sessions({ pool, hash, tokens: await sessionTokens(jwk) });
  const people = persons(pool, hash);
  let nextNumber = 0;
  /** Somebody whom nobody has met before, at a project of their own unless one is named. */
  const newSignedIn = async (projectId?: ProjectId, personId?: SignedIn['personId']): Promise<SignedIn> => {
    const phone = `+99890${String(1_000_000 + nextNumber++)}` as Phone;
    const who = personId ?? (await people.ofPhone(phone, 'live', now));
    const at = projectId ?? (await newProject(pool));
    const recipientId = await people.recipientOf(who, at, 'live', now, { phone });
    const how = { mode: 'live', method: 'code', deviceId: null, userAgent: null } as const;
    return { personId: who, projectId: at, recipientId, ...how };
  };
  const rowOf = async (id: string) => (await pool.query('select * from session where id = $1', [id])).rows[0];
  return { jwk, hash, pool, store, newSignedIn, rowOf };
}

async function newProject(pool: ReturnType<typeof hotPool>): Promise<ProjectId> {
  const id = randomUUID() as string as ProjectId;
  await pool.query('insert into project (id, slug, created_at) values ($1, $2, $3)', [id, `p-${id}`, now]);
  return id;
}
