import type { Caller } from '../../domain/project/caller.ts';
import type { Guesser } from '../../domain/shared/failed-attempt-limiter.ts';
import { netsOf } from '../../domain/shared/ip-address.ts';

/** `client` is the end user's address, as the service or we saw it; null when nobody said. */
export const guesserOf = (
  { access, keyId }: Pick<Caller, 'access' | 'keyId'>,
  client: string | null,
): Pick<Guesser, 'clients' | 'keyId'> => ({
  clients: client === null ? [] : netsOf(client),
  keyId: access === 'secret' ? keyId : null,
});
