import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';

const Ready = z.object({
  status: z.literal('ready'),
  postgres: z.literal('up'),
  redis: z
    .enum(['up', 'away'])
    .meta({ description: 'Not needed to accept: limits are then counted in each process.' }),
});

/** `/metrics` is not for the public, and does not stand here. */
export const healthPaths: ZodOpenApiPathsObject = {
  '/health/live': {
    get: {
      operationId: 'getHealthLive',
      tags: ['Health'],
      summary: 'The process runs',
      security: [],
      responses: {
        200: {
          description: 'It does.',
          content: { 'application/json': { schema: z.object({ status: z.literal('live') }) } },
        },
      },
    },
  },
  '/health/ready': {
    get: {
      operationId: 'getHealthReady',
      tags: ['Health'],
      summary: 'The process can accept requests',
      security: [],
      responses: {
        200: { description: 'It can.', content: { 'application/json': { schema: Ready } } },
        503: { description: 'Postgres does not answer.' },
      },
    },
  },
};
