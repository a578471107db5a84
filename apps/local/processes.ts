import { jobKinds } from '../../domain/jobs.ts';
import type { ChildSpec } from './child.ts';
import type { PortName } from './environment.ts';

/** Says where a surface is, without a path. */
export type OriginOf = (name: PortName) => string;

/** Up before anybody calls them, and the last to stop: what drains still sends. */
export const providersStage = (originOf: OriginOf): ChildSpec[] => [
  {
    name: 'sandbox',
    command: ['apps/sandbox/main.ts'],
    readiness: { url: `${originOf('SANDBOX_PORT')}/health` },
  },
];

/** One process for each surface and each kind of job, as in production: what kills one leaves the others alone. */
export const servingStage = (originOf: OriginOf): ChildSpec[] => [
  { name: 'api', command: ['apps/api/main.ts'], readiness: { url: `${originOf('API_PORT')}/health/ready` } },
  { name: 'board', command: ['apps/board/main.ts'], readiness: { url: `${originOf('BOARD_PORT')}/health` } },
  { name: 'bot', command: ['apps/bot/main.ts'], readiness: { logMessage: 'bot ready' } },
  ...[...jobKinds, 'sweep'].map(worker),
];

const worker = (lane: string): ChildSpec => ({
  name: lane === 'sweep' ? lane : `worker-${lane}`,
  command: ['workers/main.ts', lane],
  readiness: { logMessage: 'worker ready' },
});
