import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { keyedHash } from '../../../infra/process/crypto.ts';
import { numberCountries } from './numbers.ts';

export interface Project {
  readonly id: string;
  readonly slug: string;
  readonly key: string;
}

/** Projects with a live key each. Default limits; the countries of the bench's numbers may be sent to. */
export async function seedProjects(sql: Client, pepper: string, count: number): Promise<Project[]> {
  const hash = keyedHash(pepper);
  const keys = Array.from({ length: count }, () => `nbt_live_${randomBytes(24).toString('base64url')}`);
  const { rows } = await sql.query<Project>(insertProjects, [
    keys,
    keys.map((key) => hash('api-key', key)),
    JSON.stringify({ sms_countries: numberCountries }),
  ]);
  return rows;
}

const insertProjects = `
with given as (
  select uuidv7() project_id, key, hash, 'bench-' || row_number() over () slug from unnest($1::text[], $2::bytea[]) as g (key, hash)),
projects as (
  insert into project (id, slug, settings, created_at) select project_id, slug, $3::jsonb, now() from given),
keys as (
  insert into api_key (id, project_id, access, mode, hash, hint, scopes, created_at)
  select uuidv7(), project_id, 'secret', 'live', hash, right(key, 4), array['otp', 'messages'], now() from given)
select project_id id, slug, key from given`;
