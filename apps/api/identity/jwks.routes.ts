import { z } from 'zod';
import { defineOpenRoute, type Route } from '../../http/route.ts';

/** A new key is announced so long before it signs: whoever keeps a copy has it by then. */
const KEPT_SECONDS = 300;

const PublicJwkBody = z
  .object({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: z.string(),
    kid: z.string(),
    alg: z.literal('EdDSA'),
    use: z.literal('sig'),
  })
  .meta({ id: 'PublicJwk', description: 'A public key of Ed25519 as JWK (RFC 8037).' });

export type PublicJwk = z.infer<typeof PublicJwkBody>;

export function jwksRoutes(keys: readonly PublicJwk[]): Route[] {
  return [
    defineOpenRoute({
      method: 'get',
      path: '/.well-known/jwks.json',
      tag: 'Sign-in',
      summary: 'The public keys of access tokens',
      description:
        "A JWK Set (RFC 7517): those that sign tokens now, and those of tokens that still live. Check a token's signature by its `kid`, and its `aud`, which is your project's id (a test key's: `test:` and the id).",
      because: 'public keys are for everybody.',
      answers: { 200: { description: 'The keys.', schema: z.object({ keys: z.array(PublicJwkBody) }) } },
      async handle() {
        const headers = { 'Cache-Control': `public, max-age=${KEPT_SECONDS}` };
        return { status: 200, body: { keys }, headers };
      },
    }),
  ];
}
