import { jobKinds } from '../../domain/jobs.ts';
import type { ChildSpec } from './child.ts';

export interface Ports {
  readonly API_PORT: number;
  readonly BOARD_PORT: number;
  readonly SANDBOX_PORT: number;
}

const at = (port: number, path: string) => ({ url: `http://127.0.0.1:${port}${path}` });

/** Up before anybody calls them, and the last to stop: what drains still sends. */
export const providersStage = ({ SANDBOX_PORT }: Ports): ChildSpec[] => [
  { name: 'sandbox', command: ['infra/sandbox/main.ts'], readiness: at(SANDBOX_PORT, '/health') },
];

/** One process for each surface and each kind of job, as in production: what kills one leaves the others alone. */
export const servingStage = ({ API_PORT, BOARD_PORT }: Ports): ChildSpec[] => [
  { name: 'api', command: ['apps/api/main.ts'], readiness: at(API_PORT, '/health/ready') },
  { name: 'board', command: ['apps/board/main.ts'], readiness: at(BOARD_PORT, '/health') },
  ...[...jobKinds, 'sweep'].map(worker),
];

const worker = (lane: string): ChildSpec => ({
  name: lane === 'sweep' ? lane : `worker-${lane}`,
  command: ['workers/main.ts', lane],
  readiness: { logMessage: 'worker ready' },
});
