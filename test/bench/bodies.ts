import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyedHash } from '../../infra/process/crypto.ts';
import { type Figure, figure, median, quantile } from './support/figures.ts';
import type { Options } from './support/options.ts';
import { type Project, seedProjects } from './support/seed.ts';
import { onStage, type Stage } from './support/stage.ts';

/** Must show 3 of issue 7: another client's `/otp/send` while 8 connections post 1 MB of nested JSON each. */
const CONNECTIONS = 8;
/** Arrivals of the honest client, one after the other but not before its time: below what one core does with ease. */
const EVERY_MS = 10;
const WARMUP_REQUESTS = 300;
const ANSWER_TIMEOUT_MS = 10_000;

/** Nobody listens there: only the intake is measured. */
const providers = {
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'bench',
  TWILIO_PHONE_NUMBER: '+15005550006',
  TWILIO_API_URL: 'http://127.0.0.1:9',
};

const attacks = {
  'out of scope': { path: '/push/send', scope: 'jobs', status: '403' },
  'in scope': { path: '/otp/send', scope: 'otp', status: '413' },
} as const;

export async function bodies(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  await onStage(options, async (stage) => {
    const port = await stage.freePort();
    await stage.start('api', 'apps/api/main.ts', { ...providers, API_PORT: String(port) });
    const [honest, hostile] = await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', 2);
    if (!honest || !hostile) throw new Error('expected two projects');
    await stage.sql.query(
      `update project set settings = settings || '{"requests_per_minute": 1000000, "sms_daily_budget_micros": 100000000000}'`,
    );
    const client = openClient(port, honest);
    for (let at = 0; at < WARMUP_REQUESTS; at += 1) await client.send();
    for (const name of Object.keys(attacks) as (keyof typeof attacks)[])
      figures.push(...(await measure(stage, client, { name, port, hostile })));
  });
  return figures;
}

interface Attack {
  readonly name: keyof typeof attacks;
  readonly port: number;
  readonly hostile: Project;
}

async function measure(stage: Stage, client: Client, { name, port, hostile }: Attack): Promise<Figure[]> {
  const { path, scope, status } = attacks[name];
  const key = await keyOf(stage, hostile, scope);
  const idle: number[][] = [];
  const attacked: number[][] = [];
  for (let round = 0; round < stage.options.rounds; round += 1) {
    idle.push(await client.during(stage.options.seconds));
    const attacker = await stage.start('attacker', 'test/bench/attacker/main.ts');
    attacker.tell({ port, path, key, connections: CONNECTIONS });
    attacked.push(await client.during(stage.options.seconds));
    attacker.tell('stop');
    const { answers } = (await attacker.answer(ANSWER_TIMEOUT_MS)) as { answers: Record<string, number> };
    await stage.stopChild('attacker');
    if (!answers[status] || Object.keys(answers).some((other) => other !== status && other !== 'none'))
      throw new Error(`the attack was answered ${JSON.stringify(answers)}`);
    console.error(`${name}, round ${round + 1}: ${JSON.stringify(answers)}`);
  }
  const of = (rounds: number[][], share: number) =>
    rounds.map((times) => (share === 0.5 ? median(times) : quantile(times, share)));
  return [
    figure('bodies', `median ms, ${name}, against idle`, of(attacked, 0.5), of(idle, 0.5)),
    figure('bodies', `p99 ms, ${name}, against idle`, of(attacked, 0.99), of(idle, 0.99)),
  ];
}

/** A secret key of the other project with this scope alone. */
async function keyOf({ sql, env }: Stage, { id }: Project, scope: string): Promise<string> {
  const key = `nbt_live_${randomBytes(24).toString('base64url')}`;
  await sql.query(
    `insert into api_key (id, project_id, access, mode, hash, hint, scopes, created_at)
     values (uuidv7(), $1, 'secret', 'live', $2, $3, array[$4], now())`,
    [id, keyedHash(env['PEPPER'] ?? '')('api-key', key), key.slice(-4), scope],
  );
  return key;
}

/** Seven digits, spread so that no prefix is asked for often. */
const uzbekNumber = (n: number) => `+99890${String((n * 7_919_393) % 10_000_000).padStart(7, '0')}`;

type Client = ReturnType<typeof openClient>;

/** Sends codes to one number after the other over one connection, and says how long each answer took. */
function openClient(port: number, { key }: Project) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  let sent = 0;
  const send = () =>
    new Promise<number>((resolve, reject) => {
      const began = performance.now();
      const call = request({ port, host: '127.0.0.1', method: 'POST', path: '/otp/send', agent, headers });
      call.once('error', reject).once('response', (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.once('end', () => {
          if (answer.statusCode === 202) resolve(performance.now() - began);
          else reject(new Error(`/otp/send answered ${answer.statusCode} ${text}`));
        });
      });
      call.end(JSON.stringify({ to: uzbekNumber(sent++), channels: ['sms'] }));
    });
  const during = async (seconds: number): Promise<number[]> => {
    const times: number[] = [];
    const end = performance.now() + seconds * 1_000;
    while (performance.now() < end) {
      const next = sleep(EVERY_MS);
      times.push(await send());
      await next;
    }
    return times;
  };
  return { send, during };
}
