import type { ProjectId } from '../shared/ids.ts';
import type { KeyMode } from '../project/key.ts';
import type { TimelineApproval } from './checks.ts';
import type { VerificationState } from './verification.ts';

/** How a verification stands, for whoever waits for it to change. */
export interface LiveState {
  readonly id: string;
  readonly status: VerificationState;
  /** Null until the person approved for the project. */
  readonly approval: TimelineApproval | null;
}

export interface LiveStates {
  /** Null when there is none of that id in the project. */
  find(projectId: ProjectId, mode: KeyMode, id: string, now: Date): Promise<LiveState | null>;
  /** All of these at once, in any order. */
  read(ids: readonly string[], now: Date): Promise<readonly LiveState[]>;
}

/** Names a state, so that whoever comes back says which one they know. */
export const stateName = ({ status, approval }: LiveState): string =>
  `${status}.${approval?.state ?? 'none'}`;
