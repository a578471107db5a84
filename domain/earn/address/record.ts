import { z } from 'zod';
import type { DatabaseFacts } from './class.ts';

/** A field of another type than is expected is as good as absent: databases of many makers are read. */
const flag = z.boolean().optional().catch(undefined);
const text = z.string().min(1).max(200).optional().catch(undefined);
const number = z.int().min(0).optional().catch(undefined);

const traits = {
  is_tor_exit_node: flag,
  is_anonymous_vpn: flag,
  is_public_proxy: flag,
  is_residential_proxy: flag,
  is_hosting_provider: flag,
  is_anonymous: flag,
  connection_type: text,
  user_type: text,
  mobile_country_code: text,
  mobile_network_code: text,
  autonomous_system_number: number,
  autonomous_system_organization: text,
  organization: text,
  isp: text,
  country_code: text,
};
/** Databases of one subject have their fields at the top, those of many under `traits`. */
const DatabaseRecord = z.object({
  ...traits,
  traits: z.object(traits).optional().catch(undefined),
  country: z.object({ iso_code: text }).optional().catch(undefined),
});

/** What one record of a MaxMind-format database says: Anonymous-IP, Connection-Type, ISP, ASN, country, or several of them in one. */
export function factsOf(record: unknown): DatabaseFacts {
  const read = DatabaseRecord.safeParse(record);
  if (!read.success) return {};
  const { traits: inner, country, ...outer } = read.data;
  const said = { ...outer, ...withoutAbsent(inner ?? {}) };
  const { mobile_country_code: mcc, mobile_network_code: mnc } = said;
  return withoutAbsent({
    isTorExit: said.is_tor_exit_node,
    isVpn: said.is_anonymous_vpn,
    isPublicProxy: said.is_public_proxy,
    isResidentialProxy: said.is_residential_proxy,
    isHosting: said.is_hosting_provider,
    isAnonymous: said.is_anonymous,
    connectionType: said.connection_type,
    userType: said.user_type,
    mobileNetwork: mnc === undefined ? undefined : `${mcc ?? ''}-${mnc}`,
    asNumber: said.autonomous_system_number,
    organization: said.isp ?? said.organization ?? said.autonomous_system_organization,
    country: country?.iso_code ?? said.country_code,
  });
}

/** What several databases say: of a field that two have, the first one counts. */
export const mergedFacts = (records: readonly unknown[]): DatabaseFacts =>
  Object.assign({}, ...records.map(factsOf).toReversed()) as DatabaseFacts;

type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };
const withoutAbsent = <T extends object>(fields: T): Present<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
