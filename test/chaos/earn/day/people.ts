import { randomBytes, randomUUID } from 'node:crypto';
import { importJWK, type JWK, SignJWT } from 'jose';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { keyedHash } from '../../../../infra/process/crypto.ts';
import type { Variables } from '../../support/environment.ts';

/** A person whose session lasts longer than the day that is tried: what ends sessions is tried elsewhere. */
export interface Earner {
  readonly personId: string;
  readonly token: string;
}

export interface Staged {
  readonly owner: pg.Pool;
  readonly env: Variables;
  readonly project: string;
}

export async function makeProject(owner: pg.Pool, project: string): Promise<void> {
  const settings = { require_counterpart: 'review', counterpart_tolerance_percent: 5 };
  // What limits requests is tried elsewhere.
  const never = { requests_per_minute: 1_000_000 };
  await owner.query(
    `insert into project (id, slug, settings, ceilings, created_at) values ($1, 'earning', $2, $3, now())`,
    [project, { ...settings, ...never }, never],
  );
  await owner.query('select ledger_book_open($1)', [project]);
}

export async function makeEarners({ owner, env, project }: Staged, count: number): Promise<Earner[]> {
  const hash = keyedHash(env['PEPPER'] ?? '');
  const jwk = JSON.parse(env['JWT_PRIVATE_JWK'] ?? '') as JWK & { kid: string };
  const key = await importJWK(jwk, 'EdDSA');
  const earners: Earner[] = [];
  for (let n = 0; n < count; n += 1) {
    const [personId, recipientId, sessionId] = [uuidv7(), uuidv7(), uuidv7()];
    const phone = `+99890${String(1_000_000 + n)}`;
    await owner.query(`insert into person (id, mode, created_at) values ($1, 'live', now())`, [personId]);
    await owner.query(
      `insert into recipient (id, project_id, phone, address_hash, person_id, created_at, updated_at) values ($1, $2, $3, $4, $5, now(), now())`,
      [recipientId, project, phone, hash('address', phone), personId],
    );
    await owner.query(
      `insert into session (id, person_id, project_id, mode, recipient_id, method, refreshed_at, authenticated_at, created_at, expires_at)
       values ($1, $2, $3, 'live', $4, 'code', now(), now(), now(), now() + interval '60 days')`,
      [sessionId, personId, project, recipientId],
    );
    const token = await new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: 'EdDSA', kid: jwk.kid, typ: 'JWT' })
      .setIssuer('navbat')
      .setAudience(project)
      .setSubject(recipientId)
      .setIssuedAt()
      .setExpirationTime('60d')
      .sign(key);
    earners.push({ personId, token });
  }
  return earners;
}

/** A key of the scope that gateways have. */
export async function makeGatewayKey({ owner, env, project }: Staged): Promise<string> {
  const key = `nbt_live_${randomBytes(24).toString('base64url')}`;
  await owner.query(
    `insert into api_key (id, project_id, access, mode, hash, hint, scopes, created_at)
     values ($1, $2, 'secret', 'live', $3, $4, '{gateways}', now())`,
    [randomUUID(), project, keyedHash(env['PEPPER'] ?? '')('api-key', key), key.slice(-4)],
  );
  return key;
}

/** Of days of Tashkent, by one member of finance: the first may be for today. */
export async function setPrices(
  { owner, project }: Staged,
  prices: Readonly<Record<string, number>>,
): Promise<void> {
  const staff = randomUUID();
  await owner.query(
    `insert into staff (id, email, role, password_hash, created_at) values ($1, 'finance@navbat.example', 'finance', 'none', now() - interval '2 days')`,
    [staff],
  );
  for (const [day, tiyin] of Object.entries(prices)) {
    const { rows } = await owner.query<{ outcome: string }>('select outcome from price_ask($1, $2, $3, $4)', [
      project,
      day,
      tiyin,
      staff,
    ]);
    if (rows[0]?.outcome !== 'set') throw new Error(`the price of ${day} was not set: ${rows[0]?.outcome}`);
  }
}
