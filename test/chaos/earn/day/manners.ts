import type { GatewayLie } from '../../../../apps/sandbox/earn/traffic/gateway.ts';

/** How a phone shares. What is after `lies:` is a lie of its own. */
const phoneManners = [
  'honest',
  'sleeps',
  'splits',
  'repeats',
  'roams',
  'is killed',
  'lies: three times as much',
  'lies: counter back',
  'lies: counter jumps',
  'lies: clock ahead',
  'lies: before the session',
  'lies: a number twice',
  'lies: after the close',
  "lies: another's session",
] as const;
export type PhoneManner = (typeof phoneManners)[number];

/** A phone, and the gateway through which its traffic goes: a true one, one that lies, or none at all. */
export interface Manner {
  readonly phone: PhoneManner;
  readonly gateway: GatewayLie | 'true' | 'none';
}

/** By turns, so that of 200 phones each manner has eight at least. */
export const manners: readonly Manner[] = [
  ...phoneManners.map((phone) => ({ phone, gateway: 'true' as const })),
  { phone: 'honest', gateway: 'none' },
  ...(['too-little', 'too-much', 'late', 'twice', 'conflicting', 'other-sessions', 'never'] as const).map(
    (gateway) => ({ phone: 'honest' as const, gateway }),
  ),
];

/** Who says the truth through a gateway that says it too is paid for all that went through. */
export const isPaidWhole = ({ phone, gateway }: Manner): boolean =>
  ['honest', 'sleeps', 'splits', 'repeats', 'roams'].includes(phone) &&
  ['true', 'twice', 'conflicting', 'other-sessions'].includes(gateway);
