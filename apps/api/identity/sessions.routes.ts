import { z } from 'zod';
import { type PersonCaller, signInMethods } from '../../../domain/identity/session/session.ts';
import type { SessionOwner, Sessions, SessionView } from '../../../domain/identity/session/sessions.ts';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { Time } from '../../../domain/shared/time.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { Problem } from '../../http/problem.ts';
import { definePersonRoute, type Route } from '../../http/route.ts';
import { ById } from '../../http/by-id.ts';

interface SessionDeps {
  readonly sessions: Sessions;
  readonly now: () => Date;
}

const tag = 'Sign-in';

const OpenSession = z
  .object({
    id: z.uuid(),
    current: z.boolean().meta({ description: 'The session that asks.' }),
    project: z.object({ id: z.uuid(), name: z.string() }),
    method: z.enum(signInMethods).meta({ description: 'How the person proved who they are.' }),
    device: z.object({ id: z.uuid(), name: z.string() }).nullable(),
    user_agent: z.string().nullable(),
    created_at: Time,
    last_used_at: Time.meta({ description: 'When it was last refreshed.' }),
    expires_at: Time.meta({ description: 'Unless it is used before.' }),
  })
  .meta({ id: 'OpenSession' });

/** What a person sees of their sessions and ends; `auth.ts` opens them. */
export function sessionRoutes(deps: SessionDeps): Route[] {
  return [listRoute(deps), endRoute(deps), signOutRoute(deps)];
}

/** 401 (RFC 6750 §3.1): what was brought opens nothing, and the person must sign in again. */
export const sessionEnded = (
  type: 'session-ended' | 'refresh-token-reused' | 'device-not-proven',
  detail: string,
) =>
  new Problem(401, type, detail, {
    headers: { 'WWW-Authenticate': 'Bearer realm="navbat", error="invalid_token"' },
  });

/** Navbat's own app shows a person all of their sessions; a project sees its own. */
const ownerOf = ({ personId, projectId }: PersonCaller): SessionOwner => ({
  personId,
  projectId: projectId === PLATFORM_PROJECT_ID ? null : projectId,
});

const listRoute = (deps: SessionDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/auth/sessions',
    tag,
    summary: "The person's sessions, newest first",
    description: "Those at this project; in Navbat's own app, those at every project.",
    session: 'project',
    query: z.object(pageQuery),
    answers: { 200: { description: 'Sessions that stand.', schema: pageSchema(OpenSession) } },
    async handle({ person, query }) {
      const page = await deps.sessions.list(ownerOf(person), pageOrder(query), deps.now());
      return { status: 200, body: pageBody(page, (session) => sessionBody(session, person)) };
    },
  });

const sessionBody = (session: SessionView, { sessionId }: PersonCaller) => ({
  id: session.id,
  current: session.id === sessionId,
  project: session.project,
  method: session.method,
  device: session.device,
  user_agent: session.userAgent,
  created_at: session.createdAt.toISOString(),
  last_used_at: session.refreshedAt.toISOString(),
  expires_at: session.expiresAt.toISOString(),
});

const endRoute = (deps: SessionDeps) =>
  definePersonRoute({
    method: 'delete',
    path: '/auth/sessions/{id}',
    tag,
    summary: 'End a session',
    description: 'Its tokens are refused at once.',
    session: 'project',
    fresh: true,
    params: ById,
    answers: { 204: { description: 'Ended.', schema: z.undefined() } },
    problems: [404],
    async handle({ person, params }) {
      if (await deps.sessions.end(ownerOf(person), params.id, 'ended', deps.now()))
        return { status: 204, body: undefined };
      throw new Problem(404, 'not-found', 'There is no such session.');
    },
  });

const signOutRoute = (deps: SessionDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/auth/sign-out',
    tag,
    summary: 'Sign out',
    description: 'Ends the session that asks.',
    session: 'project',
    answers: { 204: { description: 'Signed out.', schema: z.undefined() } },
    async handle({ person }) {
      await deps.sessions.end(ownerOf(person), person.sessionId, 'signed-out', deps.now());
      return { status: 204, body: undefined };
    },
  });
