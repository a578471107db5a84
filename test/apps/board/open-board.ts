import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { AddressInfo } from 'node:net';
import type { Pool } from 'pg';
import supertest, { type Test } from 'supertest';
import { createBoard } from '../../../apps/board/app.ts';
import { boardQueueOptions } from '../../../apps/board/bull.ts';
import { createHttpServer, listen } from '../../../apps/http/server.ts';
import type { JobRegistry } from '../../../domain/job/define-job.ts';
import { type JobKind, jobs as allJobs } from '../../../domain/jobs.ts';
import type { Settles } from '../../../infra/postgres/job/settle.ts';
import { settles as allSettles } from '../../../infra/postgres/settles.ts';
import { AddressHash } from '../../../domain/staff/ops.ts';
import type { SecondFactors } from '../../../domain/staff/second-factor.ts';
import type { StaffRole } from '../../../domain/staff/role.ts';
import { base32 } from '../../../domain/shared/otpauth.ts';
import { keyedHash, sealer } from '../../../infra/process/crypto.ts';
import { limitConnection, quotaCounter } from '../../../infra/limits/quota-counter.ts';
import { readiness } from '../../../infra/process/readiness.ts';
import { censorText, openLog } from '../../../infra/process/log.ts';
import { auditLog } from '../../../infra/postgres/staff/audit.ts';
import { hotPool } from '../../../infra/postgres/engine/hot-pool.ts';
import { telegramChats } from '../../../infra/postgres/message/telegram/chats.ts';
import { opsCommands } from '../../../infra/postgres/staff/ops-commands.ts';
import { opsQueries } from '../../../infra/postgres/staff/ops-queries.ts';
import { openOrm } from '../../../infra/postgres/engine/orm.ts';
import { staffAccounts } from '../../../infra/postgres/staff/accounts.ts';
import { staffSecondFactors } from '../../../infra/postgres/staff/second-factor.ts';
import { staffSessions } from '../../../infra/postgres/staff/sessions.ts';
import { closeQueues, openQueues, producerRedis, type Queues } from '../../../infra/queue/queues.ts';
import { qrSvg } from '../../../infra/identity/device/qr.ts';
import { staffDesk } from '../../../infra/queue/staff-entries.ts';
import { type Authenticator, authenticator } from '../../support/authenticator.ts';
import { freshDatabase, freshRedis } from '../../support/servers.ts';

/** Longer than the steps that a code is good for: what the set-up used up is out of the way. */
const A_WHILE_MS = 120_000;

export const PASSWORD = 'a horse, a battery and a staple';

/** A board as `main.ts` wires it, on its own database and Redis, with a clock that a test may move. */
export interface OpenBoard {
  readonly url: string;
  readonly pool: Pool;
  readonly queues: Queues<JobKind>;
  readonly time: { now: Date };
  /** Every line that the board logged. */
  readonly log: readonly string[];
  readonly addressHash: (phone: string) => Buffer;
  readonly secondFactors: SecondFactors;
  /** A login that nobody used yet. */
  createStaff(role: StaffRole): Promise<{ id: string; email: string }>;
  /** A login whose second factor was set up, a while before any test looks at it, and the authenticator of its person. */
  createMember(role: StaffRole): Promise<Member>;
  /** A half session of theirs: the password was right. */
  openHalf(staffId: string): Promise<string>;
  /** Somebody of this role with a whole session, without the login page and its limits. */
  visit(role: StaffRole): Promise<Visitor>;
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

export interface Visitor {
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
  /** Kinds beside those of `domain/jobs.ts`. */
  readonly more?: { readonly jobs: JobRegistry; readonly settles: Settles };
}

export async function openBoard(options: BoardOptions = {}): Promise<OpenBoard> {
  const jobs = { ...allJobs, ...options.more?.jobs };
  const kinds = { jobs, settles: { ...allSettles, ...options.more?.settles } };
  const database = await freshDatabase();
  const redisUrl = options.redisUrl ?? (await freshRedis());
  const pool = hotPool(database.url, 4);
  const orm = await openOrm(database.url);
  const queues = openQueues(
    producerRedis(redisUrl, () => undefined),
    jobs,
  );
  const limits = new Redis(redisUrl, limitConnection).on('error', () => undefined);
  const counter = quotaCounter(limits);
  const hash = keyedHash(randomBytes(32).toString('base64url'));
  const time = { now: new Date() };
  const log: string[] = [];
  const accounts = staffAccounts(orm.em);
  const sessions = staffSessions(orm.em);
  const ring = { current: 's1', keys: new Map([['s1', randomBytes(32)]]) };
  const secondFactors = staffSecondFactors(orm.em, sealer(ring), hash);
  const board = createBoard({
    log: openLog('board', 'debug', { write: (line: string) => void log.push(line) }),
    counter,
    accounts,
    sessions,
    secondFactors,
    qr: qrSvg,
    proxies: options.proxies ?? 0,
    clock: () => time.now,
    audit: auditLog(pool),
    chats: telegramChats(pool),
    jobs,
    queries: opsQueries(pool, kinds),
    commands: opsCommands(pool, kinds, staffDesk(queues), () => undefined),
    addressOf: (phone) => AddressHash.parse(hash('address', phone).toString('hex')),
    censor: censorText,
    queues: Object.entries(queues.of).map(
      ([kind, queue]) => new BullMQAdapter(queue, boardQueueOptions(kind)),
    ),
    isRedisThere: () => queues.redis.status === 'ready',
    health: () => readiness(pool, limits),
  });
  const server = createHttpServer(board);
  await listen(server, '127.0.0.1', 0);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const createStaff = async (role: StaffRole) => {
    const email = `${role}-${randomBytes(4).toString('hex')}@navbat.example`;
    const made = await accounts.createStaff({ email, role, password: PASSWORD }, time.now);
    if (!made.created) throw new Error(made.reason);
    return made.staff;
  };
  const openHalf = async (staffId: string, at = time.now) => (await sessions.open(staffId, at)).token;
  const createMember = async (role: StaffRole): Promise<Member> => {
    const { id, email } = await createStaff(role);
    const at = new Date(time.now.getTime() - A_WHILE_MS);
    const half = await openHalf(id, at);
    const app = authenticator(base32((await secondFactors.offer(half, at)) ?? Buffer.alloc(0)));
    const setUp = await secondFactors.setUp(half, await app.freshCode(at), at);
    if (!setUp.passed) throw new Error(setUp.reason);
    return { id, email, app, recoveryCodes: setUp.recoveryCodes, token: setUp.session.token };
  };
  return {
    url,
    pool,
    queues,
    time,
    log,
    secondFactors,
    createStaff,
    createMember,
    openHalf: (staffId) => openHalf(staffId),
    addressHash: (phone) => hash('address', phone),
    async visit(role) {
      const { email, token } = await createMember(role);
      return visitor(url, email, token);
    },
    async audit() {
      const { rows } = await pool.query('select actor, action, subject, detail from audit order by id');
      return rows;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      counter.close();
      limits.disconnect();
      await closeQueues(queues);
      await pool.end();
      await orm.close(true);
      await database.drop();
    },
  };
}

function visitor(url: string, email: string, token: string): Visitor {
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
