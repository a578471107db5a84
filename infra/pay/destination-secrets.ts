import type { Encryption, KeyedHash } from '../process/crypto.ts';

/** What is kept of a rail's token or an account: nothing that pays without our keys. */
export interface DestinationSecrets {
  /** By which a card that several people share is found, and which an item freezes. */
  holderOf(token: string): Buffer;
  pinflOf(pinfl: string): Buffer;
  /** Bound to the row of the destination: moved to another one it can't be decrypted. */
  encrypt(token: string, destinationId: string): Buffer;
}

export const destinationSecrets = (hash: KeyedHash, encryption: Encryption): DestinationSecrets => ({
  holderOf: (token) => hash('rail-token', token),
  pinflOf: (pinfl) => hash('pinfl', pinfl),
  encrypt: (token, destinationId) => encryption.encrypt(token, destinationId),
});
