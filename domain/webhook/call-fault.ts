/** Why a call got no answer at all. */
export const callFaults = [
  'timeout',
  'connection-lost',
  'not-connected',
  'tls',
  'name-unresolved',
  'address-forbidden',
  'answer-unreadable',
  'interrupted',
] as const;
export type CallFault = (typeof callFaults)[number];
