import { z } from 'zod';
import type { AddressRules } from './address/assess.ts';
import { requireCounterpart, type Verdict, verdicts } from './traffic/counterpart.ts';

const addressVerdict = (preset: Verdict, what: string) =>
  z
    .enum(verdicts)
    .default(preset)
    .meta({
      description: `What becomes of traffic from ${what}: \`pay\`, \`review\` by a person, or \`unpaid\`. The strictest address of a session counts for all of it.`,
    });

export const earnSettings = {
  /** What a phone says is a claim; a gateway that carried the traffic says how much it was. */
  require_counterpart: z.enum(requireCounterpart).default('review').meta({
    description:
      'What becomes of a day of a session that no gateway reported, or of which phone and gateway say different amounts: `pay` the smaller, `review` by a person, or `unpaid`.',
  }),
  /** Headers and retries of the network are counted by one side only. */
  counterpart_tolerance_percent: z.int().min(0).max(50).default(5).meta({
    description:
      'By so many percent of the larger count phone and gateway may differ and still agree. The smaller count is paid.',
  }),
  address_residential: addressVerdict('pay', 'addresses of homes'),
  address_mobile: addressVerdict('pay', 'addresses of mobile networks, which thousands of phones share'),
  // Nobody's phone is in a data centre.
  address_hosting: addressVerdict('unpaid', 'addresses of data centres'),
  // Databases call some homes a VPN: a person looks.
  address_vpn_or_proxy: addressVerdict('review', 'VPNs and public proxies'),
  address_tor: addressVerdict('unpaid', 'exits of Tor'),
  // Most of the internet is in no list.
  address_unknown: addressVerdict('pay', 'addresses of which the data says nothing, or where there is none'),
};

type EarnSettings = z.infer<z.ZodObject<typeof earnSettings>>;
declare module '../project/settings.ts' {
  interface ProjectSettings extends EarnSettings {}
}

export const addressRules = (settings: EarnSettings): AddressRules => ({
  residential: settings.address_residential,
  mobile: settings.address_mobile,
  hosting: settings.address_hosting,
  'vpn-or-proxy': settings.address_vpn_or_proxy,
  tor: settings.address_tor,
  unknown: settings.address_unknown,
});
