import { z } from 'zod';
import { SESSION_TOKEN_SECONDS } from '../../domain/identity/session/session.ts';
import type { Grant } from '../../domain/identity/session/sessions.ts';

/** What a client holds once its person has signed in (RFC 6749 §5.1). */
export const SessionBody = z
  .object({
    access_token: z.string().meta({ description: 'JWT (EdDSA), checked against /.well-known/jwks.json.' }),
    token_type: z.literal('Bearer'),
    expires_in: z.int().meta({ description: 'Seconds.' }),
    refresh_token: z.string().meta({ description: 'Good once, for the next pair.' }),
    session_id: z.uuid(),
    sub: z.uuid().meta({ description: "The project's own recipient: send to it." }),
  })
  .meta({ id: 'Session' });

export const sessionBody = (grant: Grant): z.infer<typeof SessionBody> => ({
  access_token: grant.accessToken,
  token_type: 'Bearer',
  expires_in: SESSION_TOKEN_SECONDS,
  refresh_token: grant.refreshToken,
  session_id: grant.sessionId,
  sub: grant.recipientId,
});

/** How a sign-in is answered. */
export const granted = (grant: Grant) => ({ status: 200, body: sessionBody(grant) });
export const signedIn = { 200: { description: 'Signed in.', schema: SessionBody } } as const;
