import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { newNumber, newPhone, type Owner, type World } from './world.ts';

/** Rows as the apps would leave them, made one for each request that asks for them. */

export async function makeRecipient({ db, hash }: World, { projectId }: Owner): Promise<string> {
  const [id, phone] = [uuidv7(), newPhone()];
  await db.query(
    `insert into recipient (id, project_id, phone, address_hash, telegram_chat_id, created_at, updated_at)
     values ($1, $2, $3, $4, $5, now(), now())`,
    [id, projectId, phone, hash('address', phone), newNumber()],
  );
  return id;
}

/** One for each person and project, whoever asks first. */
const known = new Map<string, Promise<string>>();

/** The project's own handle to the person. */
export function recipientOf(world: World, owner: Owner): Promise<string> {
  const key = `${owner.projectId} ${owner.personId}`;
  const id = known.get(key) ?? makeKnown(world, owner);
  known.set(key, id);
  return id;
}

async function makeKnown(world: World, owner: Owner): Promise<string> {
  const id = await makeRecipient(world, owner);
  await world.db.query('update recipient set person_id = $2 where id = $1', [id, owner.personId]);
  return id;
}

/** A live code, sent some minutes ago. Its job sleeps. */
export async function makeVerification(
  world: World,
  owner: Owner,
  purpose = 'login',
): Promise<{ id: string; jobId: string }> {
  const [id, jobId, phone] = [uuidv7(), uuidv7(), newPhone()];
  const address = world.hash('address', owner.mode === 'test' ? `test:${phone}` : phone);
  await world.db.query(
    `insert into verification (id, project_id, address_hash, phone, purpose, mode, code_kid, code_length, checks_max, check_by_to,
       channels, locale, job_id, ttl_seconds, created_at, sent_at, expires_at)
     values ($1, $2, $3, $4, $7, $5, 'c1', 6, 5, false, '{telegram,sms}', 'uz', $6, 600, now() - interval '5 min',
       now() - interval '5 min', now() + interval '5 min')`,
    [id, owner.projectId, address, phone, owner.mode, jobId, purpose],
  );
  const payload = { verification_id: id };
  await insertJob(world, owner, { id: jobId, kind: 'otp-send', subjectId: id, payload, address });
  return { id, jobId };
}

interface NewJob {
  readonly id: string;
  readonly kind: string;
  readonly subjectId: string;
  readonly payload: object;
  readonly address: Buffer | null;
}

async function insertJob({ db }: World, { projectId, mode }: Owner, job: NewJob): Promise<void> {
  await db.query(
    `insert into job (id, kind, project_id, subject_id, mode, address_hash, payload, labels, run_at, deadline_at, accepted_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, now() + interval '5 min', now() + interval '1 hour', now())`,
    [
      job.id,
      job.kind,
      projectId,
      job.subjectId,
      mode,
      job.address,
      job.payload,
      { project: 'p', channels: 'telegram', to: '+998•••••••67' },
    ],
  );
}

/** With one recipient, whose turn has not come. */
export async function makeBroadcast(world: World, owner: Owner): Promise<string> {
  const id = uuidv7();
  await world.db.query(
    `insert into broadcast (id, project_id, kind, mode, content, total, send_at, expires_at, created_at)
     values ($1, $2, 'telegram-message', $3, '{"text":"salom"}', 1, now(), now() + interval '1 hour', now())`,
    [id, owner.projectId, owner.mode],
  );
  await insertJob(world, owner, {
    id: uuidv7(),
    kind: 'telegram-message',
    subjectId: id,
    payload: {},
    address: null,
  });
  return id;
}

/** Closed, and of a recipient of the project; by the id that Telegram gave it. */
export async function makeClosedChat(world: World, owner: Owner): Promise<string> {
  const id = await makeRecipient(world, owner);
  const { rows } = await world.db.query<{ chat: string }>(
    'update recipient set telegram_blocked_at = now() where id = $1 returning telegram_chat_id::text chat',
    [id],
  );
  const chat = rows[0]?.chat ?? '';
  await world.db.query(
    `insert into telegram_chat (chat_id, unreachable, unreachable_at) values ($1, 'bot-blocked', now())`,
    [chat],
  );
  return chat;
}

/** Takes a type that nothing here brings about. */
export async function makeEndpoint({ db }: World, { projectId, mode }: Owner): Promise<string> {
  const id = uuidv7();
  await db.query(
    `insert into webhook_endpoint (id, project_id, mode, url, host, event_types, created_at, updated_at)
     values ($1, $2, $3, 'https://example.com/navbat', 'example.com', '{endpoint.disabled}', now(), now())`,
    [id, projectId, mode],
  );
  return id;
}

export async function makeEvent({ db }: World, { projectId, mode }: Owner): Promise<string> {
  const id = uuidv7();
  await db.query(
    `insert into webhook_event (id, project_id, mode, type, subject_id, data, happened_at)
     values ($1, $2, $3, 'verification.approved', $4, '{}', now())`,
    [id, projectId, mode, randomUUID()],
  );
  return id;
}

export async function makeDelivery(world: World, owner: Owner): Promise<string> {
  const [id, eventId, { jobId }] = [
    uuidv7(),
    await makeEvent(world, owner),
    await makeVerification(world, owner),
  ];
  await world.db.query(
    `insert into webhook_delivery (id, project_id, mode, event_id, event_type, job_id, n, url, outcome, latency_ms, at)
     values ($1, $2, $3, $4, 'verification.approved', $5, 1, 'https://example.com/', 'completed', 1, now())`,
    [id, owner.projectId, owner.mode, eventId, jobId],
  );
  return id;
}
