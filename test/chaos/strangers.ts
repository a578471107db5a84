import { randomBytes, randomUUID } from 'node:crypto';
import { UNCONFIRMED_PER_ADDRESS } from '../../domain/verify/strangers.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { type Navbat, type Reply, startNavbat, type TestProject, until } from '../support/navbat.ts';
import { fromHome } from '../support/platform.ts';
import { type Dice, dice } from './support/dice.ts';
import { startServers } from './support/servers.ts';

/** Whose two publishable keys the strangers have, and in which order they go through the numbers. */
export const attackKeys = ['of two projects', 'of one project'] as const;
export const attackOrders = ['at random', 'number by number'] as const;

export interface StrangersRun {
  readonly keys: (typeof attackKeys)[number];
  readonly order: (typeof attackOrders)[number];
  readonly numbers: number;
  readonly addresses: number;
  readonly requests: number;
  readonly seed: number;
}

export interface StrangersReport extends StrangersRun {
  /** Of the attack: how often each thing was tried, and how it was answered. */
  readonly answers: Readonly<Record<string, number>>;
  readonly signedInAtFirstTry: number;
  /** Owners who were not, by the answer they got. */
  readonly refusedOwners: Readonly<Record<string, number>>;
  /** SMS that were paid for what the strangers asked for, and how many there may be. */
  readonly paidForStrangers: number;
  readonly paidForStrangersMax: number;
  readonly mostPaidToOneNumber: number;
  readonly problems: readonly string[];
}

/** Requests of the attack that are under way at the same time. */
const AT_ONCE = 16;
/** Room for all owners and the whole attack: what empties a budget is another test's. */
const BUDGET_MICROS = 1_000_000_000;

type Home = ReturnType<typeof fromHome>;
interface Stranger {
  readonly home: Home;
  /** What they were answered: an id and its token, by key. */
  readonly held: Map<TestProject, { id: string; check_token: string; phone: string }>;
}
interface Attack {
  readonly dice: Dice;
  readonly keys: readonly TestProject[];
  readonly phones: readonly string[];
  readonly strangers: readonly Stranger[];
}

/**
 * Guarantee 3 over real HTTP: strangers with two publishable keys ask, ask again, guess and ask for approvals, for numbers whose
 * owners sign in by code meanwhile, each from an address of their own. Each owner comes when the attack has passed their number.
 */
export async function runStrangers(run: StrangersRun, directory: string): Promise<StrangersReport> {
  const servers = await startServers(directory);
  try {
    await migrate(servers.postgres.ownerUrl);
    const navbat = await startNavbat({ servers: { database: servers.postgres, redisUrl: servers.redisUrl } });
    try {
      return await attackOn(navbat, run);
    } finally {
      await navbat.stop();
    }
  } finally {
    await servers.close();
  }
}

async function attackOn(navbat: Navbat, run: StrangersRun): Promise<StrangersReport> {
  const attack: Attack = {
    dice: dice(run.seed),
    keys: await twoKeys(navbat, run.keys),
    phones: Array.from({ length: run.numbers }, (_, n) => `+99890${100 + (n % 900)}${1_000 + n}`),
    strangers: Array.from({ length: run.addresses }, () => ({ home: fromHome(), held: new Map() })),
  };
  const tries = triesOf(attack);
  const answers: Record<string, number> = {};
  const owners: Promise<string>[] = [];
  const each = run.requests / run.numbers;
  await atOnce(run.requests, async (n) => {
    // All that is tried on one number, then all on the next; the addresses take turns.
    const phone =
      run.order === 'at random' ? pick(attack, attack.phones) : attack.phones[Math.floor(n / each)];
    const stranger =
      run.order === 'at random' ? pick(attack, attack.strangers) : attack.strangers[n % run.addresses];
    const [name, attempt] = pick(attack, tries);
    const { status } = await attempt(
      phone ?? '',
      stranger ?? pick(attack, attack.strangers),
      pick(attack, attack.keys),
    );
    answers[`${name}: ${status}`] = (answers[`${name}: ${status}`] ?? 0) + 1;
    if ((n + 1) % each < 1)
      owners.push(signIn(navbat, pick(attack, attack.keys), attack.phones[Math.floor(n / each)] ?? ''));
  });
  return reportOf(navbat, run, answers, await Promise.all(owners));
}

async function twoKeys(navbat: Navbat, keys: StrangersRun['keys']): Promise<readonly TestProject[]> {
  const settings = { sms_daily_budget_micros: BUDGET_MICROS };
  const app = () => navbat.createProject({ access: 'publishable', scopes: ['public'], settings });
  const [one, two] = [await app(), await app()];
  if (keys === 'of two projects') return [one, two];
  await navbat.db.query('update api_key set project_id = $1 where project_id = $2', [one.id, two.id]);
  return [one, { ...two, id: one.id }];
}

type Try = (phone: string, stranger: Stranger, key: TestProject) => Promise<Reply>;

/** Everything that the key is good for, and some that it is not. Asking comes most. */
function triesOf(attack: Attack): readonly (readonly [string, Try])[] {
  const asks =
    (path: string): Try =>
    async (phone, { home, held }, key) => {
      const reply = await key.call('POST', path, { phone }, home);
      if (reply.status < 300) held.set(key, { phone, ...reply.body });
      return reply;
    };
  const otp = () => String(attack.dice.whole(0, 999_999)).padStart(6, '0');
  const token = () => randomBytes(48).toString('base64url');
  return [
    ['ask', asks('/auth/code')],
    ['ask again', asks('/auth/code')],
    ['ask by the phone API', asks('/api/send-otp/')],
    [
      'resend',
      (phone, { home, held }, key) =>
        key.call('POST', '/auth/code', { phone, ...shown(held.get(key)) }, home),
    ],
    [
      'resend with a made-up token',
      (phone, { home }, key) => key.call('POST', '/auth/code', { phone, check_token: token() }, home),
    ],
    ['approval', (phone, { home }, key) => key.call('POST', '/auth/approval', { to: phone }, home)],
    [
      'guess',
      (_phone, { home, held }, key) =>
        key.call('POST', '/auth/code/verify', { ...proofOf(held.get(key)), code: otp() }, home),
    ],
    [
      'guess by the phone API',
      (phone, { home }, key) =>
        key.call('POST', '/api/verify-otp/', { phone, otp: otp(), check_token: token() }, home),
    ],
    [
      'guess without a token',
      (phone, { home }, key) => key.call('POST', '/api/verify-otp/', { phone, otp: otp() }, home),
    ],
    [
      'register',
      (phone, { home }, key) =>
        key.call('POST', '/register', { telegram_id: 4_000_000_001, phone_number: phone }, home),
    ],
  ];
}

const proofOf = (held: { id: string; check_token: string } | undefined) =>
  held ? { id: held.id, check_token: held.check_token } : { id: randomUUID(), check_token: 'none' };
const shown = (held: { check_token: string } | undefined) => (held ? { check_token: held.check_token } : {});

/** A 503 says that the machine is too busy to count, and when to come again; no limit was met, and nothing was sent or counted. */
const patiently = (call: () => Promise<Reply>): Promise<Reply> =>
  until(async () => {
    const reply = await call();
    return reply.status === 503 ? undefined : reply;
  });

/** The owner asks once and types the code of the message that answered them. `signed in`, or what kept them from it. */
async function signIn(navbat: Navbat, key: TestProject, phone: string): Promise<string> {
  const home = fromHome();
  const asked = await patiently(() => key.call('POST', '/auth/code', { phone }, home));
  if (asked.status !== 202) return `${asked.status} ${asked.body.type}`;
  const { id, check_token } = asked.body;
  const code = await codeOf(navbat, id);
  if (code === null) return 'the code was not sent';
  const checked = await patiently(() =>
    key.call('POST', '/auth/code/verify', { id, check_token, code }, home),
  );
  await navbat.db.query(`update verification set metadata = '{"owner": "yes"}' where id = $1`, [id]);
  return checked.status === 200 ? 'signed in' : `${checked.status} ${checked.body.type}`;
}

/** Of the SMS that was sent for this verification; null where its job ended without one. */
async function codeOf({ db, sandbox }: Navbat, id: string): Promise<string | null> {
  const sent = await until(async () => {
    const { rows } = await db.query(
      `select j.finished_at, a.provider_reference reference from verification v join job j on j.id = v.job_id
       left join attempt a on a.job_id = j.id and a.channel = 'sms' where v.id = $1`,
      [id],
    );
    return rows[0]?.reference || rows[0]?.finished_at ? rows[0] : undefined;
  });
  const text = sent.reference
    ? sandbox.inbox({}).find((one) => one.provider_reference === sent.reference)?.text
    : '';
  return /\b\d{6}\b/.exec(text ?? '')?.[0] ?? null;
}

async function reportOf(
  { db }: Navbat,
  run: StrangersRun,
  answers: Readonly<Record<string, number>>,
  owners: readonly string[],
): Promise<StrangersReport> {
  const { rows } = await db.query<{ paid: number }>(
    `select count(*)::int paid from attempt a join job j on j.id = a.job_id join verification v on v.id = j.subject_id
     where a.cost_micros is not null and a.outcome is distinct from 'rejected' and v.metadata is null group by v.address_hash`,
  );
  const refusedOwners: Record<string, number> = {};
  for (const end of owners) if (end !== 'signed in') refusedOwners[end] = (refusedOwners[end] ?? 0) + 1;
  const signedInAtFirstTry = owners.filter((end) => end === 'signed in').length;
  const paidForStrangers = rows.reduce((sum, { paid }) => sum + paid, 0);
  const projects = run.keys === 'of two projects' ? 2 : 1;
  const paidForStrangersMax = projects * run.addresses * UNCONFIRMED_PER_ADDRESS;
  const problems = [
    ...(signedInAtFirstTry < run.numbers
      ? [`${run.numbers - signedInAtFirstTry} owners were not signed in at their first try`]
      : []),
    ...(paidForStrangers > paidForStrangersMax
      ? [`${paidForStrangers} messages were paid for strangers`]
      : []),
  ];
  return {
    ...run,
    answers: Object.fromEntries(Object.entries(answers).toSorted(([a], [b]) => a.localeCompare(b))),
    signedInAtFirstTry,
    refusedOwners,
    paidForStrangers,
    paidForStrangersMax,
    mostPaidToOneNumber: Math.max(0, ...rows.map(({ paid }) => paid)),
    problems,
  };
}

async function atOnce(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < count; n = next++) await work(n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function pick<T>({ dice }: Attack, items: readonly T[]): T {
  const item = items[dice.whole(0, items.length - 1)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
