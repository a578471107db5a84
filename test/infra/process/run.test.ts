import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { baseVariables } from '../../support/environment.ts';

const run = fileURLToPath(new URL('../../../infra/process/run.ts', import.meta.url));
const config = fileURLToPath(new URL('../../../infra/process/config.ts', import.meta.url));

/** A process that does this with both functions; `signal` is sent once it says a word. */
async function processThat(does: string, signal?: NodeJS.Signals) {
  const script = `import { runOnce, runProcess } from ${JSON.stringify(run)};
    import { ConfigError } from ${JSON.stringify(config)};
    ${does}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env: baseVariables });
  const said = { out: '', err: '' };
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    if (signal && said.out === '') child.kill(signal);
    said.out += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...said };
}

test('a start that a person can mend fails with one sentence, and any other with its stack', async () => {
  const [taken, broken, once] = await Promise.all([
    processThat(`await runProcess(async () => {
      throw Object.assign(new Error('API_PORT: port 3000 is taken'), { code: 'EADDRINUSE' }); });`),
    processThat(`await runProcess(async () => { throw new Error('it broke'); });`),
    processThat(`await runOnce(async () => { throw new ConfigError(['PEPPER: expected 32 bytes']); });`),
  ]);
  expect(taken).toEqual({ code: 1, out: '', err: 'API_PORT: port 3000 is taken\n' });
  expect([broken.code, broken.err]).toEqual([1, expect.stringMatching(/it broke\n +at /)]);
  expect([once.code, once.err]).toEqual([1, expect.stringMatching(/^[^\n]*PEPPER: expected 32 bytes\n$/)]);
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s drains and ends with 0', async (signal) => {
  const drained = await processThat(
    `await runProcess(async () => {
       const alive = setInterval(() => {}, 60_000);
       return async () => { clearInterval(alive); console.log('drained'); };
     });
     console.log('ready');`,
    signal,
  );
  expect(drained).toEqual({ code: 0, out: 'ready\ndrained\n', err: '' });
});

test('a drain that fails is told, and ends with 1', async () => {
  const failed = await processThat(
    `await runProcess(async () => {
       setInterval(() => {}, 60_000);
       return async () => { throw new Error('a connection hung'); };
     });
     console.log('ready');`,
    'SIGTERM',
  );
  expect([failed.code, failed.err]).toEqual([1, expect.stringContaining('a connection hung')]);
});
