import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { standingSessions } from '../../../../infra/identity/person-tokens.ts';
import { liveStates } from '../../../../infra/postgres/earn/live/states.ts';
import type { ApiPlatform } from '../../../../infra/process/api-platform.ts';
import { liveBodies } from './bodies.ts';
import type { LiveDeps } from './live.routes.ts';
import { subscribers } from './subscribers.ts';

/** Who follows their money in this process. */
export function wireLive({ pools, log, clock: now }: ApiPlatform, book: ProjectId): LiveDeps {
  const states = liveStates(pools.read, book);
  return {
    random: Math.random,
    subscribers: subscribers({
      states,
      bodies: liveBodies(states.read),
      standing: standingSessions(pools.read),
      now,
      onError: (err) => log.warn({ err }, 'what people follow was not read; the next look tries again'),
    }),
  };
}
