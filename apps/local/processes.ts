import { jobsOf, type Products } from '../../domain/products.ts';
import type { ChildSpec } from './child.ts';
import type { PortName } from './environment.ts';
import { providersOf } from './modules.ts';

/** Says where a surface is, without a path. */
export type OriginOf = (name: PortName) => string;

/** Up before anybody calls them, and the last to stop: what drains still sends. */
export const providersStage = (originOf: OriginOf, on: Products): ChildSpec[] => [
  {
    name: 'sandbox',
    command: ['apps/sandbox/main.ts'],
    readiness: { url: `${originOf('SANDBOX_PORT')}/health` },
  },
  ...providersOf(on).map(({ name, command, port }) => ({
    name,
    command,
    readiness: { url: `${originOf(port)}/health` },
  })),
];

/** One process for each surface and each kind of job of the products that are on, as in production: what kills one leaves the others alone. */
export const servingStage = (originOf: OriginOf, on: Products): ChildSpec[] => [
  { name: 'api', command: ['apps/api/main.ts'], readiness: { url: `${originOf('API_PORT')}/health/ready` } },
  { name: 'board', command: ['apps/board/main.ts'], readiness: { url: `${originOf('BOARD_PORT')}/health` } },
  // It registers people by codes.
  ...(Object.hasOwn(jobsOf(on), 'otp-send') ? [bot] : []),
  ...[...Object.keys(jobsOf(on)), 'reconciler'].map(worker),
];

const bot: ChildSpec = {
  name: 'bot',
  command: ['apps/bot/main.ts'],
  readiness: { logMessage: 'bot ready' },
};

const worker = (role: string): ChildSpec => ({
  name: role === 'reconciler' ? role : `worker-${role}`,
  command: ['workers/main.ts', role],
  readiness: { logMessage: 'worker ready' },
});
