import { randomInt } from 'node:crypto';
import { bindPeople } from '../support/bound-person.ts';
import { type Answer, claimWith, hashOfToken, newToken, openAsker, surfaces } from '../support/surfaces.ts';
import { DEVICES_MAX } from '../../domain/identity/device/device.ts';
import { type Figure, figure, median } from './support/figures.ts';
import { mannWhitneyP } from '../support/mann-whitney.ts';
import type { Options } from './support/options.ts';
import { seedProjects } from './support/seed.ts';
import { onStage, type Stage } from './support/stage.ts';

/** Must show 6: 2 000 calls of each, half of them for people with five bound devices. */
const CALLS_EACH = 1_000;
/** The code of V8 and the plans of Postgres settle before anything counts. */
const WARMUP_CALLS = 150;
/** A difference that chance brings about less often than this is one. */
const P_MIN = 0.01;

/** One place to ask, each time for somebody else: the n-th of those who are known, or of those who are not. */
interface Trial {
  readonly name: string;
  prepare(known: boolean, n: number): Promise<() => Promise<Answer>>;
}

/**
 * How long each surface takes for a known person and for a number that nobody has, in random order, and how likely one
 * distribution would differ as much. Only the api runs: workers would add noise of their own.
 */
export async function enumeration(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  await onStage(options, async (stage) => {
    for (const trial of await openTrials(stage)) {
      const { known, unknown } = await measure(trial);
      const p = mannWhitneyP(known, unknown);
      const [of, against] = [median(known), median(unknown)];
      console.error(
        `${trial.name}: ${of.toFixed(3)} ms known, ${against.toFixed(3)} ms unknown, p = ${p.toFixed(4)}`,
      );
      figures.push(
        { ...figure('enumeration', `p of ${trial.name}`, [p]), baseline: P_MIN },
        figure('enumeration', `ms for the known, against the unknown, of ${trial.name}`, [of], [against]),
      );
    }
  });
  return figures;
}

async function measure(trial: Trial): Promise<{ known: number[]; unknown: number[] }> {
  for (let n = 0; n < WARMUP_CALLS; n++) await (await trial.prepare(n % 2 === 0, CALLS_EACH + (n >> 1)))();
  const times = { known: [] as number[], unknown: [] as number[] };
  for (const { known, n } of shuffled()) {
    const ask = await trial.prepare(known, n);
    const startedMs = performance.now();
    const { status, text } = await ask();
    const tookMs = performance.now() - startedMs;
    if (status >= 500 || status === 429) throw new Error(`${trial.name}: ${status} ${text}`);
    times[known ? 'known' : 'unknown'].push(tookMs);
  }
  return times;
}

/** In random order, so that whatever slows the machine down for a while slows both. */
function shuffled(): { known: boolean; n: number }[] {
  const calls = Array.from({ length: 2 * CALLS_EACH }, (_, index) => ({
    known: index % 2 === 0,
    n: index >> 1,
  }));
  for (let last = calls.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    const [a, b] = [calls[last], calls[other]];
    if (a && b) [calls[last], calls[other]] = [b, a];
  }
  return calls;
}

const PEOPLE = CALLS_EACH + WARMUP_CALLS;

async function openTrials(stage: Stage): Promise<Trial[]> {
  const port = await stage.freePort();
  const env = { ...stage.env, ...providers };
  await stage.start('api', 'apps/api/main.ts', { ...providers, API_PORT: String(port), TRUST_PROXY: '1' });
  const numbers = { known: numbersFrom(0), unknown: numbersFrom(PEOPLE) };
  await bindPeople({ db: stage.sql, env }, numbers.known, DEVICES_MAX);
  const projects = await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', surfaces.length + 1);
  await stage.sql.query(`update api_key set scopes = '{otp,public}'`);
  await stage.sql.query(
    `update project set settings = settings || '{"requests_per_minute": 10000000, "sms_daily_budget_micros": 1000000000}'`,
  );
  await stage.sql.query('vacuum analyze');
  const askers = projects.map(({ key }) => openAsker(`http://127.0.0.1:${port}`, key));
  const ofNumbers = surfaces.map(({ name, prepare, ask }, place): Trial => {
    const asker = askers[place];
    if (!asker) throw new Error('there is no project for it');
    return {
      name,
      prepare: async (known, n) => {
        const number = numbers[known ? 'known' : 'unknown'][n] ?? '';
        const prepared = await prepare(asker, number);
        return () => ask(asker, number, prepared);
      },
    };
  });
  return [...ofNumbers, await tokenTrial(stage, askers.at(-1))];
}

/** A token that was used, against one that never was. */
async function tokenTrial(stage: Stage, asker: ReturnType<typeof openAsker> | undefined): Promise<Trial> {
  if (!asker) throw new Error('there is no project for it');
  const used = Array.from({ length: PEOPLE }, newToken);
  await stage.sql.query(
    `insert into enrolment (token_hash, person_id, created_at, expires_at, used_at)
     select hash, (select id from person limit 1), now(), now() + interval '5 minutes', now() from unnest($1::bytea[]) hash`,
    [used.map(hashOfToken)],
  );
  return {
    name: 'POST /devices, a token that was used or never was',
    prepare: async (known, n) => () => claimWith(asker, (known ? used[n] : null) ?? newToken()),
  };
}

/** Everything is configured, so that every channel is asked for; nobody listens there, as no worker runs. */
const providers = {
  FCM_SANDBOX_URL: 'http://127.0.0.1:9',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'bench',
  TWILIO_PHONE_NUMBER: '+15005550006',
  TWILIO_API_URL: 'http://127.0.0.1:9',
};

/** Each with a prefix of hundreds, as real ones have. */
const numbersFrom = (first: number) =>
  Array.from({ length: PEOPLE }, (_, n) => `+99890${String((first + n) * 1_300 + 1_000_000).slice(0, 7)}`);
