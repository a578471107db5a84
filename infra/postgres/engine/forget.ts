import type { EntityManager } from '@mikro-orm/postgresql';

/** What a product keeps of a recipient and forgets with it, in the transaction that erases the recipient. */
export type Forget = (
  tx: EntityManager,
  recipient: { readonly projectId: string; readonly id: string; readonly addressHash: Uint8Array },
) => Promise<void>;
