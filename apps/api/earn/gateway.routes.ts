import { z } from 'zod';
import { SessionId } from '../../../domain/earn/ids.ts';
import { CARRIED_REPORTS_MAX, type Gateways, REPORTS_MAX } from '../../../domain/earn/traffic/port.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { countOf, reportFields, reportLimits } from './fields.ts';

export interface GatewayDeps {
  readonly gateways: Gateways;
}

const CarriedReport = z.strictObject({
  session_id: SessionId.meta({ description: 'Whose traffic it was.' }),
  ...reportFields('since the gateway’s report before'),
});

const Taken = z.object({
  accepted: z.int().meta({ description: 'New reports.' }),
  repeated: z.int().meta({ description: 'Numbers that were there before.' }),
  conflicts: z.int().meta({ description: 'Of those, how many said something else: the first one stands.' }),
  unknown: z.int().meta({
    description: `Of no session of the last thirty days, or of one of which gateways have reported ${CARRIED_REPORTS_MAX} times.`,
  }),
});

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
    bodyLimits: reportLimits,
    body: z.strictObject({
      reports: z.array(CarriedReport).min(1).max(REPORTS_MAX).meta({ description: 'In any order.' }),
    }),
    answers: { 202: { description: 'Committed.', schema: Taken } },
    async handle({ body, caller }) {
      const carried = body.reports.map(({ session_id: sessionId, ...one }) => ({
        sessionId,
        ...countOf(one),
      }));
      return { status: 202, body: await gateways.report(caller, carried) };
    },
  }),
];
