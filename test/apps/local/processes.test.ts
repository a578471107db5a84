import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { providersStage, servingStage } from '../../../apps/local/processes.ts';
import { jobKinds } from '../../../domain/jobs.ts';
import { type Product, products } from '../../../domain/products.ts';

const originOf = (name: string) => `http://${name}`;
const everything = new Set(products);
const clone = resolve(import.meta.dirname, '../../..');

test('each kind of job and the reconciler have a process of their own, which is there to be started', () => {
  const all = [...providersStage(originOf, everything), ...servingStage(originOf, everything)];
  const roles = all
    .filter(({ command }) => command[0] === 'workers/main.ts')
    .map(({ command }) => command[1]);
  expect(roles).toEqual([...jobKinds, 'reconciler']);
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const { command } of all) expect(existsSync(resolve(clone, command[0] ?? '')), command[0]).toBe(true);
});

test('an api is ready once its databases answer, and every server is asked at its own port', () => {
  const ready = [...providersStage(originOf, everything), ...servingStage(originOf, everything)].flatMap(
    ({ name, readiness }) => ('url' in readiness ? [[name, readiness.url]] : []),
  );
  expect(ready).toEqual([
    ['sandbox', 'http://SANDBOX_PORT/health'],
    ['multicard', 'http://SANDBOX_MULTICARD_PORT/health'],
    ['traffic', 'http://SANDBOX_TRAFFIC_PORT/health'],
    ['api', 'http://API_PORT/health/ready'],
    ['board', 'http://BOARD_PORT/health'],
  ]);
});

test('a product that is off starts no worker, and without codes there is no bot to send them', () => {
  const started = (on: Product) => servingStage(originOf, new Set([on])).map(({ name }) => name);
  expect(started('verify')).toEqual([
    'api',
    'board',
    'bot',
    'worker-otp-send',
    'worker-webhook',
    'reconciler',
  ]);
  const ofMessages = ['worker-telegram-message', 'worker-push', 'worker-webhook', 'reconciler'];
  expect(started('message')).toEqual(['api', 'board', ...ofMessages]);
});

test('the rail that pays cards, and phones that share traffic, have a sandbox where their product is on', () => {
  const started = (...on: Product[]) => providersStage(originOf, new Set(on)).map(({ name }) => name);
  expect(started('verify', 'message')).toEqual(['sandbox']);
  expect(started('message', 'pay')).toEqual(['sandbox', 'multicard']);
  expect(started('message', 'pay', 'earn')).toEqual(['sandbox', 'multicard', 'traffic']);
});
