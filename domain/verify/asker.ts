/**
 * Who asks for a code. A project's services are one asker, known by its secret keys. With a publishable key, which anybody may
 * have, each first request is an asker of its own: what one of them has live, another neither resends, replaces, ends nor checks.
 */
export type Asker =
  | { readonly kind: 'service' }
  /** `from`: the block of network addresses they call from, or what else their codes are counted by. */
  | { readonly kind: 'stranger'; readonly from: string };

export type AskerKind = Asker['kind'];
/** As paid messages are counted: `known` asks with a publishable key too, from an address that confirmed a code of this number. */
export type PaidAsker = AskerKind | 'known';

export const SERVICE: Asker = { kind: 'service' };
