import { otpSend } from '../../domain/verify/job.ts';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { phoneAt } from './support/destinations.ts';
import { type Installation, install } from './support/installation.ts';
import { type ChaosProject, makeProject } from './support/project.ts';

/** What one neighbour does, the others don't feel: over real processes, from outside. */
let house: Installation;
let directory: string;
const projects: ChaosProject[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'navbat-neighbours-'));
  await chmod(directory, 0o711);
  house = await install(directory, {
    apis: 1,
    workers: 1,
    reconcilers: 1,
    kinds: [otpSend.kind],
    telegramPeople: 0,
  });
  for (let index = 0; index < 10; index++)
    projects.push(
      await makeProject(house.servers.postgres.url, house.env['PEPPER'] ?? '', `neighbour-${index}`),
    );
});
afterAll(async () => {
  await house.close();
  await rm(directory, { recursive: true, force: true });
});

let phones = 0;
const Accepted = z.object({ job_id: z.uuid() });

function post(path: string, project: ChaosProject, body: string, headers: Record<string, string> = {}) {
  return fetch(`${house.apiUrls[0]}${path}`, {
    method: path === '/recipients' ? 'PUT' : 'POST',
    headers: { authorization: `Bearer ${project.key}`, 'content-type': 'application/json', ...headers },
    body,
  });
}

const neighbour = (index: number) => projects[index % projects.length] as ChaosProject;

describe('one poisoned string among 99 requests of other projects fails alone, with a 400', () => {
  /** As JSON on the wire: the escape is legal there, and what it stands for is not. */
  const poisons: Record<string, string> = { 'a NUL': '"a\\u0000b"', 'a lone surrogate': '"a\\ud800b"' };
  const bodies: Record<string, (to: string, poison: string) => string> = {
    metadata: (to, poison) => `{"to":"${to}","channels":["sms"],"metadata":{"note":${poison}}}`,
    'a user agent': (to, poison) => `{"to":"${to}","channels":["sms"],"client":{"user_agent":${poison}}}`,
    'a name': (to, poison) => `{"to":"${to}","channels":["sms"],"metadata":{${poison}:"x"}}`,
  };
  const cases = Object.keys(poisons).flatMap((poison) =>
    Object.keys(bodies).map((place) => [poison, place] as const),
  );

  test.each(cases)('%s in %s', async (poison, place) => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const to = phoneAt(phones++);
        const honest = JSON.stringify({ to, channels: ['sms'], metadata: { note: 'ab' } });
        const body = index === 42 ? (bodies[place]?.(to, poisons[poison] ?? '') ?? '') : honest;
        return (await post('/otp/send', neighbour(index), body)).status;
      }),
    );
    expect(answers.map((status, index) => [index, status]).filter(([, status]) => status !== 202)).toEqual([
      [42, 400],
    ]);
  });
});

describe('while the SMS provider hangs', () => {
  const PUSHES = 100;
  const PUSH_GAP_MS = 40;
  /** More than the queue has in hand (400): without a concurrency limit, nobody else would get a place before the time-out of 10 s. */
  const HUNG = 500;
  /** Half of what the concurrency limit lets into one provider at once. */
  const OPEN_MIN = 50;
  /**
   * Without a concurrency limit a push waits for a time-out of 10 s. A ratio, since two busy cores may be slow by themselves, and a
   * floor, since a tenth of a second may well become two.
   */
  const RATIO_MAX = 8;
  const FLOOR_MS = 2_000;

  test('pushes keep their p99', async () => {
    const project = projects[0] as ChaosProject;
    await pushLatencies(project, 'warm'); // A cold process compiles, connects and loads: nobody's fault.
    const calm = await pushLatencies(project, 'calm');
    const answer = await fetch(`${house.sandboxUrl}/faults`, {
      method: 'PUT',
      body: JSON.stringify({ channel: 'sms', to: '*', effect: 'hang-before' }),
    });
    expect(answer.status).toBe(200);
    const hung = await Promise.all(
      Array.from({ length: HUNG }, async (_, index) => {
        const body = JSON.stringify({ to: phoneAt(phones++), channels: ['sms'] });
        return (await post('/otp/send', neighbour(index), body)).status;
      }),
    );
    expect(new Set(hung)).toEqual(new Set([202]));
    await theProviderHangs();
    const beside = await pushLatencies(project, 'beside');

    const [calmP99, besideP99] = [p99(calm), p99(beside)];
    console.log(JSON.stringify({ metric: 'push-p99-ms', calm: calmP99, besideHungSms: besideP99 }));
    expect(besideP99).toBeLessThan(Math.max(calmP99 * RATIO_MAX, FLOOR_MS));
  }, 120_000);

  /** 202 promises a send, not when: the queue needs a moment to open so many attempts, and each stays open until its time-out. */
  async function theProviderHangs(): Promise<void> {
    let open = 0;
    for (const untilMs = Date.now() + 8_000; open <= OPEN_MIN && Date.now() < untilMs; await sleep(50)) {
      const { rows } = await house.pool.query<{ open: string }>(
        `select count(*) open from attempt where channel = 'sms' and outcome is null`,
      );
      open = Number(rows[0]?.open);
    }
    expect(open).toBeGreaterThan(OPEN_MIN);
  }

  /** From the request to the provider, in milliseconds, of pushes sent one after the other. */
  async function pushLatencies(project: ChaosProject, round: string): Promise<number[]> {
    const tokens = Array.from({ length: PUSHES }, (_, index) => `token-${round}-${index}`);
    const ids = await Promise.all(
      tokens.map(async (token) => {
        const body = JSON.stringify({ handle: token, push_token: token });
        const answer = await post('/recipients', project, body);
        return z.object({ id: z.uuid() }).parse(await answer.json()).id;
      }),
    );
    const askedMs = new Map<string, number>();
    const answers = ids.map(async (id, index) => {
      await sleep(index * PUSH_GAP_MS);
      askedMs.set(tokens[index] ?? '', Date.now());
      const answer = await post('/otp/send', project, JSON.stringify({ to: id, channels: ['push'] }));
      return Accepted.parse(await answer.json());
    });
    await Promise.all(answers);
    const received = await pushesOf(round);
    return received.map(({ to, received_at }) => Date.parse(received_at) - (askedMs.get(to) ?? Number.NaN));
  }

  async function pushesOf(round: string) {
    const Inbox = z.array(z.object({ to: z.string(), received_at: z.string() }));
    for (const untilMs = Date.now() + 60_000; ;) {
      const answer = await fetch(`${house.sandboxUrl}/inbox.json?channel=push&limit=1000`);
      const mine = Inbox.parse(await answer.json()).filter(({ to }) => to.startsWith(`token-${round}-`));
      if (mine.length >= PUSHES || Date.now() > untilMs) return mine;
      await sleep(100);
    }
  }

  function p99(latenciesMs: readonly number[]): number {
    expect(latenciesMs).toHaveLength(PUSHES);
    return latenciesMs.toSorted((a, b) => a - b)[Math.floor(PUSHES * 0.99) - 1] ?? Number.NaN;
  }
});
