import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { PersonRule, Rule } from '../../../domain/staff/access/route-rules.ts';
import { type KeyAccess, type KeyMode, KeyScope } from '../../../domain/project/key.ts';
import { ProjectId } from '../../../domain/shared/ids.ts';
import { may } from '../../../domain/staff/role-actions.ts';
import { type SessionExtent, type SessionVia, sessionVias } from '../../../domain/staff/session.ts';
import { type StaffRole, staffRoles } from '../../../domain/staff/role.ts';
import { inApp, makeDevice, openSession } from './person-objects.ts';
import {
  type App,
  makeKey,
  makePerson,
  makeProject,
  moneyProjectOf,
  type Owner,
  sha256,
  type World,
} from './world.ts';

/** Who may ask. */
type Who =
  | { readonly by: 'nobody' }
  | {
      readonly by: 'key';
      readonly access: KeyAccess;
      readonly mode: KeyMode;
      readonly scopes: readonly KeyScope[];
    }
  | {
      readonly by: 'person';
      readonly session: Exclude<PersonRule['session'], 'earner'>;
      readonly isFresh: boolean;
      /** With a live session of the project in which people earn. */
      readonly earns: boolean;
    }
  | {
      readonly by: 'staff';
      readonly role: StaffRole;
      readonly extent: SessionExtent;
      readonly via: SessionVia;
      /** Whose page sent it, as its browser says. */
      readonly origin: 'own' | 'foreign' | 'unsaid';
    };

export interface Role {
  readonly name: string;
  readonly who: Who;
  /** Whose things are its own. */
  readonly owner: Owner;
  /** Only routes of staff tell them from one another: to every other route all staff are nobody, whom an admin stands for. */
  readonly isBoards?: boolean;
  /** Makes what it shows at the door; another at each request, because some requests end the session that they come with. */
  enter(): Promise<Readonly<Record<string, string>>>;
}

export type Verdict = 'admitted' | 401 | 403;

/**
 * What a rule says to a role. Written a second time on purpose, apart from what the apps do about it: where the two differ, one of them is wrong.
 */
export function verdict(
  rule: Rule | { readonly by: 'nobody' },
  who: Who,
  { app, route }: { readonly app: App; readonly route: string },
): Verdict {
  const changes = !route.startsWith('GET ');
  // The board's own pages alone may change something with a browser's cookie, or log somebody in.
  const isStrange = who.by === 'staff' && who.via === 'cookie' && changes && who.origin !== 'own';
  const isShown = who.by === 'staff' && 'credentials' in rule && rule.credentials.includes(who.via);
  switch (rule.by) {
    case 'anyone':
      return app === 'board' && changes && who.by === 'staff' && who.origin === 'foreign' ? 403 : 'admitted';
    case 'proof':
      return 'admitted';
    case 'key': {
      if (who.by !== 'key') return 401;
      const holds = rule.scope === 'public' || (who.access === 'secret' && who.scopes.includes(rule.scope));
      return holds && (who.mode === 'live' || rule.testKeys === 'apart') ? 'admitted' : 403;
    }
    case 'person': {
      if (who.by !== 'person') return 401;
      const reach = ['project', 'app', 'device'];
      const reaches =
        rule.session === 'earner' ? who.earns : reach.indexOf(who.session) >= reach.indexOf(rule.session);
      if (!reaches) return 403;
      return rule.fresh && !who.isFresh ? 401 : 'admitted';
    }
    case 'session':
      if (!isShown || (rule.extent !== 'either' && rule.extent !== who.extent)) return 401;
      return isStrange ? 403 : 'admitted';
    case 'staff':
      if (!isShown || who.extent === 'pending-2fa') return 401;
      return may(who.role, rule.action) && !isStrange ? 'admitted' : 403;
    case 'nobody':
      return who.by === 'staff' && who.via === 'cookie' && who.extent === 'full' ? 403 : 401;
  }
}

/** All there are. Every person and key belongs to one project; `other` is somebody else's everything. */
export async function makeRoles(
  world: World,
): Promise<{ roles: Role[]; other: Owner; moneyProject: ProjectId }> {
  const [own, other] = [await makeOwner(world), await makeOwner(world)];
  const moneyProject = ProjectId.parse(moneyProjectOf(world));
  const nobody: Role = { name: 'nobody', who: { by: 'nobody' }, owner: own, enter: async () => ({}) };
  const roles = [
    nobody,
    ...(await keyRoles(world, own)),
    ...(await personRoles(world, own, moneyProject)),
    ...(await staffRoleRoles(world, own)),
  ];
  return { roles, other, moneyProject };
}

async function makeOwner(world: World): Promise<Owner> {
  const [projectId, personId] = [await makeProject(world), await makePerson(world, 'live')];
  return { projectId, mode: 'live', personId };
}

async function keyRoles(world: World, own: Owner): Promise<Role[]> {
  const all = KeyScope.options;
  const secret = (mode: KeyMode, scopes: readonly KeyScope[]) => ({
    access: 'secret' as const,
    mode,
    scopes,
  });
  const published = (mode: KeyMode) => ({ access: 'publishable' as const, mode, scopes: all });
  const wishes: [string, Parameters<typeof makeKey>[2] & Omit<Extract<Who, { by: 'key' }>, 'by'>][] = [
    ['a live key of every scope', secret('live', all)],
    ['a test key of every scope', secret('test', all)],
    ['a publishable key', published('live')],
    ['a publishable test key', published('test')],
    ...all
      .map((scope) => [`a live key of ${scope} alone`, secret('live', [scope])] as const)
      .map(([name, wish]): [string, typeof wish] => [name, wish]),
  ];
  const roles = wishes.map(async ([name, wish]): Promise<Role> => {
    const { key } = await makeKey(world, own.projectId, wish);
    const owner = { ...own, mode: wish.mode };
    return { name, who: { by: 'key', ...wish }, owner, enter: async () => bearer(key) };
  });
  const ended = (['revoked_at', 'expires_at'] as const).map(async (column): Promise<Role> => {
    const { key } = await makeKey(world, own.projectId, { scopes: all, ended: column });
    const name = column === 'revoked_at' ? 'a revoked key' : 'an expired key';
    return { name, who: { by: 'nobody' }, owner: own, enter: async () => bearer(key) };
  });
  return Promise.all([...roles, ...ended]);
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** As long ago as the proof of nobody may be. */
const STALE_MINUTES = 6;

async function personRoles(world: World, own: Owner, moneyProject: ProjectId): Promise<Role[]> {
  const app = inApp(own);
  const device: Owner = { ...app, deviceId: await makeDevice(world, app) };
  const earner: Owner = { ...own, projectId: moneyProject, personId: await makePerson(world, 'live') };
  const test: Owner = { ...own, mode: 'test', personId: await makePerson(world, 'test') };
  type Reach = Extract<Who, { by: 'person' }>['session'];
  const person = (name: string, owner: Owner, session: Reach, minutes = 0): Role => ({
    name: `${name}, ${minutes === 0 ? 'proven now' : 'proven earlier'}`,
    who: {
      by: 'person',
      session,
      isFresh: minutes === 0,
      earns: owner.projectId === moneyProject && owner.mode === 'live',
    },
    owner,
    enter: async () => bearer((await openSession(world, owner, minutes)).token),
  });
  const ended: Role = {
    name: 'a person whose session was ended',
    who: { by: 'nobody' },
    owner: app,
    enter: async () => {
      const { id, token } = await openSession(world, device);
      const end = `update session set revoked_at = now(), revoked_because = 'signed-out' where id = $1`;
      await world.db.query(end, [id]);
      return bearer(token);
    },
  };
  return [
    person("a person in a project's session", own, 'project'),
    person("a person in a project's session", own, 'project', STALE_MINUTES),
    person("a test key's person", test, 'project'),
    person("a person in the app's session", app, 'app'),
    person("a person in the app's session", app, 'app', STALE_MINUTES),
    person('a person on a bound device', device, 'device'),
    person('a person on a bound device', device, 'device', STALE_MINUTES),
    person('a person in the project where they earn', earner, 'project'),
    person('a person in the project where they earn', earner, 'project', STALE_MINUTES),
    person("a test key's person where people earn", { ...test, projectId: moneyProject }, 'project'),
    ended,
  ];
}

/** What a browser says of the page that sent it: that of the board itself is said of every request that asks the board. */
const pages = { own: {}, foreign: { 'Sec-Fetch-Site': 'cross-site' }, unsaid: { Origin: '' } } as const;

interface StaffWish {
  readonly name: string;
  readonly role?: StaffRole;
  readonly extent?: SessionExtent;
  readonly via?: SessionVia;
  readonly origin?: keyof typeof pages;
  readonly state?: 'disabled_at' | 'locked_until';
}

async function staffRoleRoles(world: World, owner: Owner): Promise<Role[]> {
  const wishes = sessionVias.flatMap((via): StaffWish[] => [
    ...staffRoles.map((role) => ({ name: role, role, via })),
    { name: 'an admin who has shown a password only', extent: 'pending-2fa', via },
    { name: 'an admin whose account is disabled', state: 'disabled_at', via },
    // A lock keeps from logging in: strangers who type wrong passwords must end no session.
    { name: 'an admin whose account is locked', state: 'locked_until', via },
    { name: 'an admin on another site’s page', origin: 'foreign', via },
    { name: 'an admin whose browser says no origin', origin: 'unsaid', via },
  ]);
  return Promise.all(wishes.map((wish) => staffRole(world, owner, wish)));
}

async function staffRole(world: World, owner: Owner, wish: StaffWish): Promise<Role> {
  const { name, role = 'admin', extent = 'full', via = 'cookie', origin = 'own', state } = wish;
  const id = await makeStaff(world, role);
  const later = state === 'locked_until' ? `+ interval '1 hour'` : '';
  if (state) await world.db.query(`update staff set ${state} = now() ${later} where id = $1`, [id]);
  return {
    name: via === 'cookie' ? name : `${name}, by bearer`,
    who: state === 'disabled_at' ? { by: 'nobody' } : { by: 'staff', role, extent, via, origin },
    owner: { ...owner, staffId: id },
    isBoards: name !== 'admin',
    enter: async () => ({
      ...pages[origin],
      ...(await openStaffSession(world, { staffId: id, extent, via })),
    }),
  };
}

export async function makeStaff({ db }: World, role: StaffRole): Promise<string> {
  const id = uuidv7();
  await db.query(
    `insert into staff (id, email, role, password_hash, created_at) values ($1, $2, $3, 'none', now() - interval '2 days')`,
    [id, `${role}-${randomBytes(4).toString('hex')}@navbat.example`, role],
  );
  return id;
}

interface NewSession {
  readonly staffId: string;
  readonly extent: SessionExtent;
  readonly via: SessionVia;
}

async function openStaffSession(
  world: World,
  session: NewSession,
): Promise<{ Cookie: string } | { Authorization: string }> {
  const { token } = await insertStaffSession(world, session);
  return session.via === 'cookie' ? { Cookie: `navbat_staff=${token}` } : bearer(token);
}

export async function insertStaffSession(
  { db }: World,
  { staffId, extent, via }: NewSession,
): Promise<{ id: string; token: string }> {
  const [id, token] = [uuidv7(), `${via === 'bearer' ? 'nbs_' : ''}${randomBytes(32).toString('base64url')}`];
  await db.query(
    `insert into staff_session (token_hash, id, via, staff_id, created_at, expires_at, second_factor_at)
     values ($1, $2, $3, $4, now(), now() + interval '10 minutes', case when $5 then now() end)`,
    [sha256(token), id, via, staffId, extent === 'full'],
  );
  return { id, token };
}
