import type pg from 'pg';
import { type ChallengeState, shownState } from '../../../domain/identity/approval/port.ts';
import type { LiveState, LiveStates } from '../../../domain/verify/live-state.ts';
import { stateAt, type VerificationState } from '../../../domain/verify/verification.ts';

interface StateRow {
  readonly id: string;
  readonly state: VerificationState;
  readonly expires_at: Date;
  readonly challenge_state: ChallengeState | null;
  readonly challenge_expires_at: Date;
  readonly answered_at: Date | null;
}

/** How verifications stand, with the push to Navbat's own app where the project may know of it. */
export function liveStates(pool: pg.Pool): LiveStates {
  return {
    find: async (projectId, mode, id, now) => {
      const { rows } = await pool.query<StateRow>(
        `${readStates} where v.id = $1 and v.project_id = $2 and v.mode = $3`,
        [id, projectId, mode],
      );
      return rows[0] ? toState(rows[0], now) : null;
    },
    read: async (ids, now) => {
      const { rows } = await pool.query<StateRow>(`${readStates} where v.id = any($1)`, [ids]);
      return rows.map((row) => toState(row, now));
    },
  };
}

const readStates = `
select v.id, v.state, v.expires_at, c.state challenge_state, c.expires_at challenge_expires_at, c.answered_at
from verification v left join challenge c on c.job_id = v.job_id
  and exists (select from recipient r where r.project_id = c.project_id and r.person_id = c.person_id)`;

function toState(row: StateRow, now: Date): LiveState {
  const { id, state, expires_at: expiresAt, challenge_state: asked } = row;
  const status = stateAt({ state, expiresAt }, now);
  const approval = asked && {
    state: shownState(asked, row.challenge_expires_at, now),
    answeredAt: row.answered_at,
  };
  return { id, status, approval };
}
