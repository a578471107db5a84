import { randomBytes, randomUUID } from 'node:crypto';
import { machine } from './support/cpu.ts';
import { type Figure, figure } from './support/figures.ts';
import type { Options } from './support/options.ts';
import { type Project, seedProjects } from './support/seed.ts';
import { onStage } from './support/stage.ts';

/** As many as one message may have. */
const RECIPIENTS = 10_000;
/** Before the rounds: code is compiled, connections are open. */
const WARMUP = 3;
/** A token of so many bytes, so that ten thousand fit into a body. */
const TOKEN_BYTES = 32;

/** Nobody listens there: only the intake is measured. */
const providers = {
  TELEGRAM_BOT_TOKEN: '7000000001:bench-bench-bench-bench-bench-bench',
  TELEGRAM_API_ROOT: 'http://127.0.0.1:9',
  FCM_SANDBOX_URL: 'http://127.0.0.1:9',
};

const sorts = {
  chats: {
    path: '/telegram/send',
    body: (round: number) => ({
      to: Array.from({ length: RECIPIENTS }, (_, n) => ({ chat_id: 1 + round * RECIPIENTS + n })),
      text: 'salom',
    }),
  },
  devices: {
    path: '/push/send',
    body: () => ({
      to: Array.from({ length: RECIPIENTS }, () => ({ token: randomBytes(TOKEN_BYTES).toString('hex') })),
      notification: { title: 'salom', body: 'salom' },
    }),
  },
} as const;

/** How long the api stands still for all others while it accepts a broadcast: the longest turn of its event loop. */
export async function broadcasts(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  await onStage(options, async (stage) => {
    const port = await stage.freePort();
    const url = `http://127.0.0.1:${port}`;
    await stage.start('api', 'apps/api/main.ts', { ...providers, API_PORT: String(port) });
    const [project] = await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', 1);
    if (!project) throw new Error('no project');
    await stage.sql.query(unlimited);
    for (const [name, { path, body }] of Object.entries(sorts)) {
      const stalls: number[] = [];
      const answers: number[] = [];
      for (let round = -WARMUP; round < options.rounds; round++) {
        const text = JSON.stringify(body(round + WARMUP));
        await longestTurnMs(url);
        const startedMs = performance.now();
        await send(url + path, project, text);
        const answeredMs = performance.now() - startedMs;
        const stallMs = await longestTurnMs(url);
        if (round < 0) continue;
        stalls.push(stallMs);
        answers.push(answeredMs);
        console.error(
          `${name}, round ${round + 1}: ${stallMs} of ${Math.round(answeredMs)} ms (${machine()})`,
        );
      }
      figures.push(
        figure('broadcasts', `ms of the longest turn of the api's loop, ${RECIPIENTS} ${name}`, stalls),
        figure('broadcasts', `ms to the answer, ${RECIPIENTS} ${name}`, answers),
      );
    }
  });
  return figures;
}

const unlimited = `
update project set settings = settings || '{"requests_per_minute": 1000000}', ceilings = ceilings || '{"rows_queued": 10000000}'`;

async function send(url: string, { key }: Project, body: string): Promise<void> {
  const headers = {
    Authorization: `Bearer ${key}`,
    'Content-Type': 'application/json',
    'Idempotency-Key': randomUUID(),
  };
  const answer = await fetch(url, { method: 'POST', headers, body });
  if (answer.status !== 202) throw new Error(`answered ${answer.status}: ${await answer.text()}`);
}

/** Since it was last asked, by the api's own `perf_hooks.monitorEventLoopDelay`. */
async function longestTurnMs(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = /^navbat_nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text);
  return Math.round(Number(found?.[1]) * 1_000);
}
