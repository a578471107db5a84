import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { DeviceId } from '../../../../domain/identity/device/device.ts';
import { SessionId } from '../../../../domain/identity/session/session.ts';
import {
  REFRESH_RETRY_SECONDS,
  type Grant,
  type Refreshed,
  SESSION_IDLE_SECONDS,
  SESSION_LIFE_SECONDS,
  type SessionEnd,
  type SessionOwner,
  type Sessions,
  SESSIONS_MAX,
  type SessionView,
  type SignedIn,
} from '../../../../domain/identity/session/sessions.ts';
import { type Page, type PageOrder, pageOf } from '../../../../domain/shared/page.ts';
import type { SessionClaims, SessionTokens } from '../../../identity/access-tokens.ts';
import type { KeyedHash } from '../../../process/crypto.ts';
import { readRefreshToken, refreshToken } from '../../../identity/refresh-tokens.ts';

export interface SessionDeps {
  readonly pool: pg.Pool;
  readonly hash: KeyedHash;
  readonly tokens: SessionTokens;
}

/** Sessions of people. A refresh token stands nowhere: it is derived from its session and how often that was refreshed. */
export function sessions(deps: SessionDeps): Sessions {
  return {
    open: async (signedIn, now) => {
      const opened = await openSession(deps, signedIn, null, now);
      if (!opened) throw new Error('the session was not opened');
      return opened;
    },
    openOnce: async (signedIn, verificationId, now) =>
      (await openSession(deps, signedIn, verificationId, now)) ?? openedBefore(deps, verificationId, now),
    refresh: (token, now) => refresh(deps, token, now),
    list: (owner, order, now) => list(deps.pool, owner, order, now),
    end: (owner, id, because, now) => end(deps.pool, owner, id, because, now),
  };
}

/** What grants are made of. */
interface Standing extends SessionClaims {
  readonly generation: number;
}

const standing = `id "sessionId", project_id "projectId", mode, recipient_id "recipientId", authenticated_at "authenticatedAt", method, generation`;

async function grantOf({ hash, tokens }: SessionDeps, session: Standing, now: Date): Promise<Grant> {
  const { sessionId, recipientId, generation } = session;
  return {
    sessionId,
    recipientId,
    accessToken: await tokens.issue(session, now),
    refreshToken: refreshToken(hash, { sessionId, generation }),
  };
}

const secondsAfter = (at: Date, seconds: number) => new Date(at.getTime() + seconds * 1_000);

async function openSession(
  deps: SessionDeps,
  signedIn: SignedIn,
  verificationId: string | null,
  now: Date,
): Promise<Grant | null> {
  const { provenAt = now, ...who } = signedIn;
  const { rows } = await deps.pool.query<Standing>(insertSession, [
    SessionId.parse(uuidv7({ msecs: now.getTime() })),
    who.personId,
    who.projectId,
    who.mode,
    who.recipientId,
    who.deviceId,
    who.method,
    who.userAgent,
    verificationId,
    provenAt < now ? provenAt : now,
    now,
    secondsAfter(now, SESSION_IDLE_SECONDS),
    SESSIONS_MAX - 1,
  ]);
  return rows[0] ? grantOf(deps, rows[0], now) : null;
}

/** With the new one, those that were used last stay. */
const insertSession = `
with opened as (
  insert into session (id, person_id, project_id, mode, recipient_id, device_id, method, user_agent, verification_id, authenticated_at,
    refreshed_at, created_at, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12)
  on conflict (verification_id) where verification_id is not null do nothing returning *),
crowded as (
  update session set revoked_at = $11, revoked_because = 'too-many' where id in (
    select id from session where person_id = $2 and project_id = $3 and revoked_at is null and expires_at > $11
    order by refreshed_at desc, id desc offset $13) and exists (select from opened))
select ${standing} from opened`;

/** The answer was lost, and nobody has used what it held. */
async function openedBefore(deps: SessionDeps, verificationId: string, now: Date): Promise<Grant | null> {
  const { rows } = await deps.pool.query<Standing>(
    `select ${standing} from session
     where verification_id = $1 and generation = 0 and revoked_at is null and expires_at > $2 and created_at >= $3`,
    [verificationId, now, secondsAfter(now, -REFRESH_RETRY_SECONDS)],
  );
  return rows[0] ? grantOf(deps, rows[0], now) : null;
}

async function refresh(deps: SessionDeps, text: string, now: Date): Promise<Refreshed> {
  const token = readRefreshToken(deps.hash, text);
  if (!token) return { refreshed: false, because: 'ended' };
  const { sessionId, generation } = token;
  const turned = await deps.pool.query<Standing>(turnSession, [
    sessionId,
    generation,
    now,
    secondsAfter(now, SESSION_IDLE_SECONDS),
    SESSION_LIFE_SECONDS,
  ]);
  if (turned.rows[0]) return { refreshed: true, grant: await grantOf(deps, turned.rows[0], now) };
  return refreshAgain(deps, sessionId, generation, now);
}

/** A project that was archived, or a device that was revoked a moment ago, opens nothing. */
const isOpen = (
  session: string,
) => `exists (select from project where id = ${session}.project_id and archived_at is null)
  and not exists (select from device where id = ${session}.device_id and revoked_at is not null)`;

/** Of any number who bring the same token one is first. */
const turnSession = `
update session set generation = generation + 1, refreshed_at = $3, expires_at = least($4, created_at + make_interval(secs => $5))
where id = $1 and generation = $2 and revoked_at is null and expires_at > $3 and ${isOpen('session')}
returning ${standing}`;

/** The token was used before: by a client whose answer was lost and who never used the next, or by somebody who copied it. */
async function refreshAgain(
  deps: SessionDeps,
  id: SessionId,
  generation: number,
  now: Date,
): Promise<Refreshed> {
  const { rows } = await deps.pool.query<Standing & { honest: boolean; reused: boolean }>(findRepeat, [
    id,
    generation,
    now,
    secondsAfter(now, -REFRESH_RETRY_SECONDS),
  ]);
  const [session] = rows;
  if (session?.honest) return { refreshed: true, grant: await grantOf(deps, session, now) };
  return { refreshed: false, because: session?.reused ? 'reused' : 'ended' };
}

/**
 * Locked before it is repeated: a repeat that met the very refresh it repeats waits for that, and is then seen as one. `expires_at` is
 * asked of both, so that a session which has run out stays what it is.
 */
const findRepeat = `
with found as (select * from session where id = $1 for update),
repeated as (
  select id, generation = $2 + 1 and refreshed_at >= $4 and ${isOpen('found')} honest, generation > $2 used
  from found where revoked_at is null and expires_at > $3),
ended as (
  update session s set revoked_at = $3, revoked_because = 'reused' from repeated j
  where s.id = j.id and j.used and not j.honest returning s.id)
select ${standing
  .split(', ')
  .map((column) => `f.${column}`)
  .join(
    ', ',
  )}, coalesce(j.honest, false) honest, f.revoked_because is not distinct from 'reused' or e.id is not null reused
from found f left join repeated j on j.id = f.id left join ended e on e.id = f.id`;

interface SessionRow extends Omit<SessionView, 'project' | 'device'> {
  readonly projectId: SessionView['project']['id'];
  readonly projectName: string;
  readonly deviceId: DeviceId | null;
  readonly deviceName: string | null;
}

async function list(
  pool: pg.Pool,
  { personId, projectId }: SessionOwner,
  { limit, after }: PageOrder,
  now: Date,
): Promise<Page<SessionView>> {
  const { rows } = await pool.query<SessionRow>(listSessions, [personId, projectId, now, after, limit + 1]);
  return pageOf(
    rows.map(({ projectId: id, projectName: name, deviceId, deviceName, ...row }) => ({
      ...row,
      project: { id, name },
      device: deviceId === null ? null : { id: deviceId, name: deviceName ?? '' },
    })),
    limit,
  );
}

const listSessions = `
select s.id, s.project_id "projectId", coalesce(p.settings->>'display_name', p.slug) "projectName", s.method, s.device_id "deviceId",
  d.name "deviceName", s.user_agent "userAgent", s.created_at "createdAt", s.refreshed_at "refreshedAt", s.expires_at "expiresAt"
from session s join project p on p.id = s.project_id left join device d on d.id = s.device_id
where s.person_id = $1 and ($2::uuid is null or s.project_id = $2) and s.revoked_at is null and s.expires_at > $3
  and ($4::uuid is null or s.id < $4)
order by s.id desc limit $5`;

async function end(
  pool: pg.Pool,
  { personId, projectId }: SessionOwner,
  id: string,
  because: SessionEnd,
  now: Date,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update session set revoked_at = $4, revoked_because = $5
     where id = $1 and person_id = $2 and ($3::uuid is null or project_id = $3) and revoked_at is null and expires_at > $4`,
    [id, personId, projectId, now, because],
  );
  return rowCount === 1;
}
