import type pg from 'pg';
import type { Announced, Notice, NoticeKind, Notices } from '../../../../domain/identity/approval/notice.ts';
import { PUSH_WINDOW_SECONDS, type PushAsker } from '../../../../domain/identity/approval/push-limits.ts';
import type { DeviceId } from '../../../../domain/identity/device/device.ts';
import type { PersonId } from '../../../../domain/identity/person/person.ts';
import { type Locale, LOCALE_DEFAULT } from '../../../../domain/shared/locale.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import type { RecipientId } from '../../../../domain/identity/recipient/recipient.ts';
import { verificationSql } from '../../verification-sql.ts';
import { inTransaction } from '../../engine/transaction.ts';

interface NoticeRow {
  readonly id: string;
  readonly kind: NoticeKind;
  readonly subject_id: string;
  readonly person_id: PersonId;
  readonly at: Date;
  readonly locale: Locale | null;
  readonly paused_until: Date | null;
  readonly devices: readonly { readonly id: DeviceId; readonly recipientId: RecipientId }[];
  readonly chats: readonly string[];
  readonly challenge_expires_at: Date | null;
  readonly asker: PushAsker;
  readonly sent: number;
  readonly sent_by_strangers: number;
  readonly sent_by_apps: number;
}

/** What people are still to be told. */
export function notices(pool: pg.Pool): Notices {
  return {
    takeDue: async (limit, now, announce) => {
      // Nearly every look finds nothing, and then holds nothing.
      const { rows: waiting } = await pool.query({ name: 'notices-wait', text: anyWaiting });
      if (waiting.length === 0) return 0;
      return inTransaction(pool, async (tx) => {
        const held = await tx.query<{ id: string }>(holdDue, [limit]);
        if (held.rows.length === 0) return 0;
        const windowStart = new Date(now.getTime() - PUSH_WINDOW_SECONDS * 1_000);
        const { rows } = await tx.query<NoticeRow>(readHeld, [
          held.rows.map(({ id }) => id),
          windowStart,
          PLATFORM_PROJECT_ID,
        ]);
        await record(tx, await announce(rows.map(toNotice)), now);
        return rows.length;
      });
    },
  };
}

const anyWaiting = 'select from person_notice where announced_at is null limit 1';

/** The person is held too, so that two processes can't each send them the last push of their hour. */
const holdDue = `
select n.id from person_notice n join person p on p.id = n.person_id
where n.announced_at is null order by n.at limit $1 for no key update of n, p skip locked`;

/**
 * A test key's people are pushed and written to by nobody. What was bound and revoked is told to those that stood when it happened: a
 * thief who binds theirs and revokes the owner's in one breath would else be heard of by nobody. The minute is for clocks that differ.
 */
const readHeld = `
select n.id, n.kind, n.subject_id, n.person_id, n.at, p.pushes_paused_until paused_until,
  (select r.locale from recipient r where r.project_id = $3 and r.person_id = p.id) locale,
  coalesce((select json_agg(json_build_object('id', d.id, 'recipientId', r.id)) from device d join recipient r on r.id = d.recipient_id
    where d.person_id = p.id and d.bound_at is not null and r.push_token_encrypted is not null and p.mode = 'live'
      and (d.revoked_at is null or n.kind in ('device-bound', 'device-revoked') and d.revoked_at > n.at - interval '1 minute')), '[]') devices,
  coalesce((select json_agg(telegram_id::text) from person_chat where person_id = p.id and mode = 'live'), '[]') chats,
  case when c.state = 'pending' and ${verificationSql.isAwaited('c')} then c.expires_at end challenge_expires_at,
  case when not exists (select from recipient r where r.project_id = c.project_id and r.person_id = c.person_id) then 'stranger'
    when ${verificationSql.askedBy('c')} = 'service' then 'service' else 'app' end asker,
  pushes.sent::int, pushes.sent_by_strangers::int, pushes.sent_by_apps::int
from person_notice n join person p on p.id = n.person_id
left join challenge c on n.kind = 'challenge' and c.id = n.subject_id
cross join lateral (
  select count(*) sent, count(*) filter (where strange) sent_by_strangers, count(*) filter (where strange or by_app) sent_by_apps
  from (
    select not exists (select from recipient r where r.project_id = past.project_id and r.person_id = past.person_id) strange,
      coalesce(${verificationSql.askedBy('past')} = 'stranger', false) by_app
    from challenge past where past.person_id = n.person_id and past.pushed = 'sent' and past.created_at > $2) each) pushes
where n.id = any($1) order by n.at, n.id`;

function toNotice(row: NoticeRow): Notice {
  const { challenge_expires_at: expiresAt, asker } = row;
  return {
    id: row.id,
    kind: row.kind,
    subjectId: row.subject_id,
    personId: row.person_id,
    at: row.at,
    locale: row.locale ?? LOCALE_DEFAULT,
    devices: row.devices,
    chats: row.chats,
    challenge: expiresAt && { expiresAt, asker },
    pushes: {
      pausedUntil: row.paused_until,
      sent: row.sent,
      sentByStrangers: row.sent_by_strangers,
      sentByApps: row.sent_by_apps,
    },
  };
}

async function record(tx: pg.PoolClient, announced: readonly Announced[], now: Date): Promise<void> {
  await tx.query(recordAnnounced, [JSON.stringify(announced), now]);
}

const recordAnnounced = `
with w as (select * from json_to_recordset($1) as w (id uuid, pushed text)),
told as (
  update person_notice n set announced_at = $2 from w where n.id = w.id returning n.kind, n.subject_id, w.pushed)
update challenge c set pushed = told.pushed from told where told.kind = 'challenge' and c.id = told.subject_id and told.pushed is not null`;
