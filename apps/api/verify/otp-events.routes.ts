import { z } from 'zod';
import { type LiveStates, stateName } from '../../../domain/verify/live-state.ts';
import { Problem } from '../../http/problem.ts';
import type { Subscribers, NoRoom } from './event-stream-subscribers.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { checkProblem } from './otp-problems.ts';
import { ById } from '../../http/by-id.ts';

export interface OtpEventDeps {
  readonly states: LiveStates;
  readonly subscribers: Subscribers;
  readonly now: () => Date;
}

/** Told a client that found no room: others end within seconds. */
const COME_BACK_SECONDS = 5;

export function otpEventRoutes(deps: OtpEventDeps): Route[] {
  return [eventsRoute(deps)];
}

const eventsRoute = (deps: OtpEventDeps) =>
  defineRoute({
    method: 'get',
    path: '/otp/{id}/events',
    tag: 'One-time codes',
    summary: 'A verification as it changes',
    description:
      'Server-sent events of the type `state`, whose data is `{ id, status, approval }` as in `GET /otp/{id}`: the state of now first, unless `Last-Event-ID` names it, then each change within a second, until the verification is closed. Then the stream ends; a client that reconnects to a closed one with the last id gets 204, and an EventSource then stops.',
    scope: 'otp',
    testKeys: 'apart',
    params: ById,
    follows: true,
    answers: {
      200: {
        description: 'The stream.',
        schema: z.string().meta({
          example:
            'id: approved.approved\nevent: state\ndata: {"id":"…","status":"approved","approval":{"state":"approved","answered_at":"…"}}\n\n',
        }),
        mediaType: 'text/event-stream',
      },
      204: { description: 'It is closed, and you know.', schema: z.undefined() },
    },
    problems: [404],
    async handle({ params, caller, lastEventId }) {
      const state = await deps.states.find(caller.projectId, caller.mode, params.id, deps.now());
      if (!state) throw checkProblem({ kind: 'unknown' });
      if (state.status !== 'live' && stateName(state) === lastEventId)
        return { status: 204, body: undefined };
      const following = deps.subscribers.follow(caller, state, lastEventId);
      if (typeof following === 'string') throw noRoom(following);
      return { status: 200, body: undefined, events: following };
    },
  });

function noRoom(why: NoRoom): Problem {
  const headers = { 'Retry-After': String(COME_BACK_SECONDS) };
  if (why === 'full')
    return new Problem(503, 'unavailable', 'This process follows as many verifications as it may.', {
      headers,
    });
  const whose = why === 'key-full' ? 'This key' : 'This project';
  return new Problem(429, 'too-many-streams', `${whose} follows too many verifications at once.`, {
    headers,
  });
}
