import { randomUUID } from 'node:crypto';
import { importJWK, type JWK, SignJWT } from 'jose';
import type { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { keyedHash } from '../../../infra/process/crypto.ts';

export interface BenchSession {
  readonly id: string;
  readonly token: string;
  next: number;
}

/** People of the project with a session of traffic each, at a price. */
export async function openTraffic(
  sql: Client,
  env: Readonly<Record<string, string>>,
  project: string,
  count: number,
): Promise<BenchSession[]> {
  await sql.query('select ledger_book_open($1)', [project]);
  const staff = randomUUID();
  await sql.query(
    `insert into staff (id, email, role, password_hash, created_at) values ($1, 'bench@navbat.example', 'finance', 'none', now())`,
    [staff],
  );
  await sql.query(`select price_ask($1, (navbat_now() at time zone 'Asia/Tashkent')::date, 100, $2)`, [
    project,
    staff,
  ]);
  const ids = () => Array.from({ length: count }, () => uuidv7());
  const [people, recipients, signIns, sessions] = [ids(), ids(), ids(), ids()];
  const hash = keyedHash(env['PEPPER'] ?? '');
  const phones = people.map((_, n) => `+99890${String(1_000_000 + n)}`);
  await sql.query(
    `insert into person (id, mode, created_at) select id, 'live', now() from unnest($1::uuid[]) id`,
    [people],
  );
  await sql.query(insertRecipients, [
    recipients,
    people,
    phones,
    phones.map((phone) => hash('address', phone)),
    project,
  ]);
  await sql.query(insertSignIns, [signIns, people, recipients, project]);
  const { rows } = await sql.query<{ outcome: string }>(startSessions, [project, sessions, people]);
  if (rows.some(({ outcome }) => outcome !== 'started')) throw new Error('not all sessions were started');
  await sql.query('analyze');
  const jwk = JSON.parse(env['JWT_PRIVATE_JWK'] ?? '') as JWK & { kid: string };
  const key = await importJWK(jwk, 'EdDSA');
  return Promise.all(
    sessions.map(async (id, n) => ({
      id,
      next: 0,
      token: await new SignJWT({ sid: signIns[n] })
        .setProtectedHeader({ alg: 'EdDSA', kid: jwk.kid, typ: 'JWT' })
        .setIssuer('navbat')
        .setAudience(project)
        .setSubject(recipients[n] ?? '')
        .setIssuedAt()
        .setExpirationTime('1d')
        .sign(key),
    })),
  );
}

const insertRecipients = `
insert into recipient (id, person_id, phone, address_hash, project_id, created_at, updated_at)
select id, person, phone, hash, $5, now(), now() from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[]) g (id, person, phone, hash)`;

const insertSignIns = `
insert into session (id, person_id, recipient_id, project_id, mode, method, refreshed_at, authenticated_at, created_at, expires_at)
select id, person, recipient, $4, 'live', 'code', now(), now(), now(), now() + interval '1 day'
from unnest($1::uuid[], $2::uuid[], $3::uuid[]) g (id, person, recipient)`;

const startSessions = `
select t.outcome from unnest($2::uuid[], $3::uuid[]) g (id, person) cross join lateral traffic_start($1, g.id, g.person, g.id) t`;
