import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Pool } from 'pg';
import supertest, { type Test } from 'supertest';
import { createBoard } from '../../../apps/board/app.ts';
import { wireBoard } from '../../../apps/board/wire.ts';
import type { DoorRoute } from '../../../apps/http/route.ts';
import { createHttpServer, listen } from '../../../apps/http/server.ts';
import type { JobRegistry } from '../../../domain/job/define-job.ts';
import { type JobKind, jobs as allJobs } from '../../../domain/jobs.ts';
import type { Settles } from '../../../infra/postgres/job/settle.ts';
import { settles as allSettles } from '../../../infra/postgres/settles.ts';
import type { SessionVia } from '../../../domain/staff/session.ts';
import type { StaffRole } from '../../../domain/staff/role.ts';
import { base32 } from '../../../domain/shared/otpauth.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { openLog } from '../../../infra/process/log.ts';
import { openPlatform } from '../../../infra/process/platform.ts';
import { processVariables } from '../../../infra/process/variables.ts';
import type { Queues } from '../../../infra/queue/queues.ts';
import { unauditedFactors } from '../../support/second-factors.ts';
import { type Authenticator, authenticator } from '../../support/authenticator.ts';
import { testEnvironment } from '../../support/environment.ts';
import { freshDatabase, freshRedis } from '../../support/servers.ts';

/** Longer than the steps that a code is good for: what the set-up used up is out of the way. */
const A_WHILE_MS = 120_000;

export const PASSWORD = 'a horse, a battery and a staple';

/** A board as `main.ts` wires it, on its own database and Redis, with a clock that a test may move. */
export interface OpenBoard {
  readonly url: string;
  readonly pool: Pool;
  /** As the owner of the tables: for what a test does that no process may. */
  readonly owner: Pool;
  readonly queues: Queues<JobKind>;
  readonly time: { now: Date };
  /** Every line that the board logged. */
  readonly log: readonly string[];
  readonly addressHash: (phone: string) => Buffer;
  /** A login that nobody used yet. */
  createStaff(role: StaffRole): Promise<{ id: string; email: string }>;
  /** A login whose second factor was set up, a while before any test looks at it, and the authenticator of its person. */
  createMember(role: StaffRole): Promise<Member>;
  /** A pending session of theirs: the password was right. */
  openPending(staffId: string, via?: SessionVia): Promise<string>;
  /** The token of a full session of theirs for a program, made as `POST /staff/sessions` makes it. */
  openBearer(member: Member): Promise<string>;
  /** Somebody of this role with a full session, without the login page and its limits. */
  session(role: StaffRole): Promise<SessionOwner>;
  audit(): Promise<
    readonly { actor: string; action: string; subject: string; detail: Record<string, unknown> }[]
  >;
  close(): Promise<void>;
}

export interface Member {
  readonly id: string;
  readonly email: string;
  readonly app: Authenticator;
  readonly recoveryCodes: readonly string[];
  /** The session of the set-up. */
  readonly token: string;
}

export interface SessionOwner {
  readonly email: string;
  readonly token: string;
  get(path: string): Test;
  /** The same as JSON; fails unless it answers 200. */
  json(path: string): Promise<supertest.Response['body']>;
  /** A request of the board's own page: with its origin and, for a form, its token. */
  put(path: string, body?: object): Test;
  post(path: string, form?: Record<string, string>): Promise<supertest.Response>;
  postJson(path: string, body: object): Test;
}

interface BoardOptions {
  readonly redisUrl?: string;
  readonly proxies?: number;
  /** Default: any that is free. */
  readonly port?: number;
  /** Of the environment, such as the products that are on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Routes of the staff's door beside its own. */
  readonly routes?: readonly DoorRoute[];
  /** Kinds beside those of `domain/jobs.ts`. */
  readonly more?: { readonly jobs: JobRegistry; readonly settles: Settles };
}

export async function openBoard(options: BoardOptions = {}): Promise<OpenBoard> {
  const database = await freshDatabase();
  const time = { now: new Date() };
  const log: string[] = [];
  const env = testEnvironment({
    DATABASE_URL: database.url,
    REDIS_URL: options.redisUrl ?? (await freshRedis()),
    TRUST_PROXY: String(options.proxies ?? 0),
    ...options.env,
  });
  const opened = await openPlatform(
    readConfig(env, processVariables.board),
    openLog('board', 'debug', { write: (line: string) => void log.push(line) }),
    { connectionsMax: 4, ...(options.more && { jobs: { ...allJobs, ...options.more.jobs } }) },
  );
  const platform = { ...opened, clock: () => time.now };
  const { parts, close } = await wireBoard(platform, { ...allSettles, ...options.more?.settles });
  const { hash, queues } = platform;
  const pool = platform.pools.hot;
  const tableOwner = new Pool({ connectionString: database.ownerUrl, max: 1 });
  tableOwner.on('error', () => undefined);
  const { accounts, sessions } = parts;
  const secondFactors = unauditedFactors(parts.secondFactors);
  const server = createHttpServer(
    createBoard({ ...parts, routes: [...parts.routes, ...(options.routes ?? [])] }),
  );
  await listen(server, '127.0.0.1', options.port ?? 0);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const createStaff = async (role: StaffRole) => {
    const email = `${role}-${randomBytes(4).toString('hex')}@navbat.example`;
    const made = await accounts.createStaff({ email, role, password: PASSWORD }, time.now);
    if (!made.created) throw new Error(made.reason);
    return made.staff;
  };
  const openPending = async (staffId: string, at = time.now, via: SessionVia = 'cookie') =>
    (await sessions.open(staffId, via, at)).token;
  const openBearer = async ({ id, app }: Member) => {
    const pending = await openPending(id, time.now, 'bearer');
    const passed = await secondFactors.pass(pending, await app.freshCode(time.now), time.now);
    if (!passed.passed) throw new Error(passed.reason);
    return passed.session.token;
  };
  const createMember = async (role: StaffRole): Promise<Member> => {
    const { id, email } = await createStaff(role);
    const at = new Date(time.now.getTime() - A_WHILE_MS);
    const pending = await openPending(id, at);
    const app = authenticator(base32((await secondFactors.offer(pending, at)) ?? Buffer.alloc(0)));
    const setUp = await secondFactors.setUp(pending, await app.freshCode(at), at);
    if (!setUp.passed) throw new Error(setUp.reason);
    return { id, email, app, recoveryCodes: setUp.recoveryCodes, token: setUp.session.token };
  };
  return {
    url,
    pool,
    owner: tableOwner,
    queues,
    time,
    log,
    createStaff,
    createMember,
    openPending: (staffId, via) => openPending(staffId, time.now, via),
    openBearer,
    addressHash: (phone) => hash('address', phone),
    async session(role) {
      const { email, token } = await createMember(role);
      return owner(url, email, token);
    },
    async audit() {
      const { rows } = await pool.query('select actor, action, subject, detail from audit order by id');
      return rows;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await close();
      await tableOwner.end();
      await platform.close();
      await database.drop();
    },
  };
}

function owner(url: string, email: string, token: string): SessionOwner {
  const cookie = `navbat_staff=${token}`;
  const get = (path: string) => supertest(url).get(path).set('Cookie', cookie);
  return {
    email,
    token,
    get,
    async json(path) {
      const answer = await get(path).set('Accept', 'application/json');
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
      return answer.body;
    },
    put: (path, body) =>
      supertest(url).put(path).set('Cookie', cookie).set('Sec-Fetch-Site', 'same-origin').send(body),
    async post(path, form = {}) {
      const page = await get('/ops');
      const field = /name="token" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
      return supertest(url)
        .post(path)
        .set('Cookie', cookie)
        .set('Origin', url)
        .type('form')
        .send({ token: field, ...form });
    },
    postJson: (path, body) =>
      supertest(url)
        .post(path)
        .set('Cookie', cookie)
        .set('Origin', url)
        .set('Accept', 'application/json')
        .send(body),
  };
}
