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
  ...[...jobKinds, 'reconciler'].map(worker),
];

const worker = (role: string): ChildSpec => ({
  name: role === 'reconciler' ? role : `worker-${role}`,
  command: ['workers/main.ts', role],
  readiness: { logMessage: 'worker ready' },
});
