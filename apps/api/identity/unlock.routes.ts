import { z } from 'zod';
import type { Destinations } from '../../../domain/identity/person/destinations.ts';
import { definePersonRoute, type Route } from '../../http/route.ts';

export interface UnlockDeps {
  readonly destinations: Pick<Destinations, 'lift'>;
  readonly now: () => Date;
}

const Lifted = z.object({
  lifted: z.int().meta({
    description: 'Locks that stood, over all services that know you. Of 0, nothing was locked there.',
  }),
});

export function unlockRoutes({ destinations, now }: UnlockDeps): Route[] {
  return [
    definePersonRoute({
      method: 'post',
      path: '/me/unlock',
      tag: 'Devices',
      summary: 'Lift the locks of my phones',
      description:
        'Whoever types a hundred wrong codes for a number locks it in that project for a day. Its person opens it here, from a bound device, at the services that know them; nobody else can. What a service locked that they never approved anything for opens by an approval for it, or within the day.',
      session: 'device',
      fresh: true,
      body: z.strictObject({}).optional(),
      answers: {
        200: {
          description: 'Every service that knows you takes codes for these phones again.',
          schema: Lifted,
        },
      },
      async handle({ person }) {
        // The session is a bound device's, which the route has asked for.
        const deviceId = person.deviceId;
        const lifted = deviceId === null ? 0 : await destinations.lift(person.personId, deviceId, now());
        return { status: 200, body: { lifted } };
      },
    }),
  ];
}
