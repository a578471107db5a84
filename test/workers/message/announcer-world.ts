import { randomUUID } from 'node:crypto';
import type { Notices } from '../../../domain/identity/approval/notice.ts';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { notices } from '../../../infra/postgres/identity/approval/notices.ts';
import { broadcastIntake } from '../../../infra/postgres/message/broadcast/intake.ts';
import { announcer } from '../../../workers/message/notifier.ts';
import type { openGround } from '../../infra/postgres/world.ts';

type World = Awaited<ReturnType<typeof openGround>>;

/** One process that announces. */
export const announcing = (world: World, store: Notices = notices(world.pool)) => {
  const now = () => new Date();
  const { pool, hash, rowEncryption: encryption } = world;
  return announcer({ notices: store, intake: broadcastIntake({ pool, hash, encryption, now }), now });
};

/** Somebody with so many devices that can be pushed to, and a chat. */
export async function makePerson(
  world: World,
  { devices = 1, mode = 'live', chat = null as number | null } = {},
) {
  const id = randomUUID();
  await world.pool.query('insert into person (id, mode, created_at) values ($1, $2, now())', [id, mode]);
  const bound = Array.from({ length: devices }, async () => {
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
      [device, id, recipient],
    );
    return { device, recipient };
  });
  if (chat !== null)
    await world.pool.query(
      `insert into person_chat (mode, telegram_id, person_id, proven_at) values ($1, $2, $3, now())`,
      [mode, chat, id],
    );
  return { id, devices: await Promise.all(bound) };
}

export const insertNotice = async (world: World, personId: string, kind: string, subjectId: string) => {
  const id = randomUUID();
  await world.pool.query(
    'insert into person_notice (id, person_id, kind, subject_id, at) values ($1, $2, $3, $4, now())',
    [id, personId, kind, subjectId],
  );
  return id;
};

/** What was handed over: to whom, and in what words. */
export async function toldBy(world: World, noticeId: string) {
  const { rows } = await world.pool.query<{ kind: string; content: Record<string, unknown>; to: string[] }>(
    `select b.kind, b.content, array(select coalesce(j.payload -> 'to' ->> 'recipient_id', j.payload ->> 'chat_id') from job j
       where j.subject_id = b.id order by 1) "to"
     from broadcast b where b.dedupe_key = $1 and b.project_id = $2 order by b.kind`,
    [`notice:${noticeId}`, PLATFORM_PROJECT_ID],
  );
  return rows;
}
