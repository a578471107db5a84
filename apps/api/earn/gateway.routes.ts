import { z } from 'zod';
import { SessionId } from '../../../domain/earn/ids.ts';
import { type Gateways, REPORTS_MAX } from '../../../domain/earn/traffic/port.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { reportFields } from './fields.ts';

export interface GatewayDeps {
  readonly gateways: Gateways;
}

/** A thousand reports, each with its six members. */
const bodyLimits = { bytes: 262_144, parts: 6_100 };

export const gatewayRoutes = ({ gateways }: GatewayDeps): Route[] => [
  defineRoute({
    method: 'post',
    path: '/api/gateway/reports',
    tag: 'Gateways',
    summary: 'Report carried traffic',
    description:
      'What a gateway carried of sessions, each since its report of that session before. A gateway is known by its key. A number of a session counts once, however often it is sent.',
    scope: 'gateways',
    testKeys: 'refused',
    bodyLimits,
    body: z.strictObject({
      reports: z
        .array(
          z.strictObject({
            session_id: SessionId.meta({ description: 'Whose traffic it was.' }),
            ...reportFields('since the gateway’s report before'),
          }),
        )
        .min(1)
        .max(REPORTS_MAX)
        .meta({ description: 'In any order.' }),
    }),
    answers: {
      202: {
        description: 'Committed.',
        schema: z.object({
          accepted: z.int().meta({ description: 'New reports.' }),
          repeated: z.int().meta({ description: 'Numbers that were there before.' }),
          conflicts: z.int().meta({ description: 'Of those, how many said something else: the first one stands.' }),
          unknown: z.int().meta({ description: 'Of no session of the last thirty days.' }),
        }),
      },
    },
    async handle({ body, caller }) {
      const answer = await gateways.report(
        caller,
        body.reports.map(({ session_id, seq, measured_at, bytes_up, bytes_down }) => ({
          sessionId: session_id,
          seq,
          measuredAt: new Date(measured_at),
          up: BigInt(bytes_up),
          down: BigInt(bytes_down),
        })),
      );
      return { status: 202, body: answer };
    },
  }),
];
