/** What an address is. `vpn-or-proxy` hides where its traffic ends; `hosting` is a data centre; `unknown` is whatever no data knows. */
export const addressClasses = ['residential', 'mobile', 'hosting', 'vpn-or-proxy', 'tor', 'unknown'] as const;
export type AddressClass = (typeof addressClasses)[number];

/** Of the operator's own lists: the narrowest network that holds the address. */
interface Listed {
  readonly class: AddressClass;
  /** As the list has it. */
  readonly network: string;
}

/** What databases of addresses say, of the fields that ours have; absent where none has it. */
export interface DatabaseFacts {
  readonly isTorExit?: boolean;
  readonly isVpn?: boolean;
  readonly isPublicProxy?: boolean;
  readonly isResidentialProxy?: boolean;
  readonly isHosting?: boolean;
  /** Some of the above, without saying which. */
  readonly isAnonymous?: boolean;
  /** `Cable/DSL`, `Cellular`, `Corporate`, `Satellite` … */
  readonly connectionType?: string;
  /** `residential`, `cellular`, `hosting`, `business` … */
  readonly userType?: string;
  /** Of a mobile network (ITU-T E.212): of no other addresses. */
  readonly mobileNetwork?: string;
  readonly asNumber?: number;
  readonly organization?: string;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
}

/** All that is known of an address. */
export interface AddressEvidence {
  readonly listed: Listed | null;
  readonly facts: DatabaseFacts;
  /** 100.64.0.0/10, which carriers use inside their networks (RFC 6598). */
  readonly isCarrierNat: boolean;
  /** When the oldest of the files was made; null where there are none. */
  readonly dataAt: Date | null;
}

/**
 * What an address is, by what is known of it.
 *
 * A list is the operator's own word, and goes before databases: they call some homes a VPN. Behind one address of a mobile network are
 * thousands of phones: a proxy or a Tor exit that was seen there is one of them, and the others are paid. Whether an address was seen as a
 * residential proxy says nothing here: it is what sharing traffic looks like from outside.
 */
export function classOf({ listed, facts, isCarrierNat }: AddressEvidence): AddressClass {
  if (listed) return listed.class;
  const isHosting = facts.isHosting === true || userTypes.hosting.has(facts.userType ?? '');
  const isVpn = facts.isVpn === true || userTypes.vpn.has(facts.userType ?? '');
  if ((isCarrierNat || isMobile(facts)) && !isHosting && !isVpn) return 'mobile';
  if (facts.isTorExit) return 'tor';
  if (isVpn || facts.isPublicProxy) return 'vpn-or-proxy';
  if (isHosting) return 'hosting';
  if (facts.isAnonymous && !facts.isResidentialProxy) return 'vpn-or-proxy';
  return isHome(facts) ? 'residential' : 'unknown';
}

/** As MaxMind's databases write them. */
const userTypes = {
  hosting: new Set(['hosting', 'content_delivery_network']),
  vpn: new Set(['consumer_privacy_network']),
};
const homeConnections: ReadonlySet<string> = new Set(['Cable/DSL', 'Dialup', 'Satellite']);

const isMobile = ({ connectionType, userType, mobileNetwork }: DatabaseFacts): boolean =>
  connectionType === 'Cellular' || userType === 'cellular' || mobileNetwork !== undefined;

const isHome = ({ connectionType, userType }: DatabaseFacts): boolean =>
  userType === 'residential' || homeConnections.has(connectionType ?? '');
