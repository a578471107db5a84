import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { SECRET_BYTES, secretText } from '../../../domain/webhook/endpoint.ts';
import type { WebhookOwner } from '../../../domain/webhook/port.ts';
import type { Encryption } from '../../process/crypto.ts';

export interface NewSecret {
  readonly id: string;
  readonly text: string;
  readonly encrypted: Buffer;
}

/** Encrypted to its row's id, so that it can't be moved to another endpoint. */
export function newSecret(encryption: Encryption, now: Date): NewSecret {
  const id = uuidv7({ msecs: now.getTime() });
  const text = secretText(randomBytes(SECRET_BYTES).toString('base64'));
  return { id, text, encrypted: encryption.encrypt(text, id) };
}

export interface SecretRow {
  readonly id: string;
  readonly encrypted: Buffer;
  readonly created_at: Date;
}

/** The project's own current secret, made where there is none: whoever is second finds the first one's. */
export async function ensureProjectSecret(
  pool: pg.Pool,
  encryption: Encryption,
  { projectId, mode }: WebhookOwner,
  now: Date,
): Promise<SecretRow> {
  const { id, encrypted } = newSecret(encryption, now);
  await pool.query(insertProjectSecret, [id, projectId, mode, encrypted, now]);
  const { rows } = await pool.query<SecretRow>(readProjectSecret, [projectId, mode]);
  const [row] = rows;
  if (!row) throw new Error('a secret that was just made is gone');
  return row;
}

const insertProjectSecret = `
insert into webhook_secret (id, project_id, mode, endpoint_id, encrypted, created_at) values ($1, $2, $3, null, $4, $5)
on conflict (project_id, mode, endpoint_id) where expires_at is null do nothing`;

const readProjectSecret = `
select id, encrypted, created_at from webhook_secret where project_id = $1 and mode = $2 and endpoint_id is null and expires_at is null`;
