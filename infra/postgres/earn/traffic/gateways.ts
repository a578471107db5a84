import type pg from 'pg';
import type { CarriedAnswer, CarriedReport, Gateways } from '../../../../domain/earn/traffic/port.ts';

/** What gateways carried. Each call is a commit of its own. */
export const gateways = (pool: pg.Pool): Gateways => ({
  report: async ({ projectId, keyId }, reports) => {
    const { rows } = await pool.query<CarriedAnswer>(take, [
      projectId,
      keyId,
      JSON.stringify(reports.map(rowOf)),
    ]);
    const [row] = rows;
    if (!row) throw new Error('a gateway has reported and nothing was answered');
    return row;
  },
});

const rowOf = ({ sessionId, seq, measuredAt, up, down }: CarriedReport) => ({
  session_id: sessionId,
  seq,
  measured_at: measuredAt,
  up: up.toString(),
  down: down.toString(),
});

const take = `select accepted, repeated, conflicts, unknown from gateway_report_take($1, $2, $3)`;
