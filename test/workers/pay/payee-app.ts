import { randomUUID } from 'node:crypto';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import type { openDispatchWorld } from '../../infra/postgres/pay/dispatch-world.ts';

/** An app of a person that can be pushed to; its recipient. */
export async function makeApp(
  world: Awaited<ReturnType<typeof openDispatchWorld>>,
  personId: string,
): Promise<string> {
  const [device, recipient] = [randomUUID(), randomUUID()];
  await world.pool.query(
    `insert into recipient (id, project_id, handle, address_hash, push_token_encrypted, created_at, updated_at)
     values ($1, $2, $3, $4, $5, now(), now())`,
    [
      recipient,
      PLATFORM_PROJECT_ID,
      `device:${device}`,
      world.hash('address', recipient),
      world.rowEncryption.encrypt(`token ${device}`, recipient),
    ],
  );
  await world.pool.query(
    `insert into device (id, person_id, kind, name, public_key, recipient_id, totp_encrypted, created_at, bound_at)
     values ($1, $2, 'app', 'x', '{}', $3, '', now(), now())`,
    [device, personId, recipient],
  );
  return recipient;
}
