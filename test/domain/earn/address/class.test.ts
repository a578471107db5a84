import { describe, expect, test } from 'vitest';
import { type AddressClass, classOf, type DatabaseFacts } from '../../../../domain/earn/address/class.ts';
import { factsOf, mergedFacts } from '../../../../domain/earn/address/record.ts';

const classed = (facts: DatabaseFacts, more: { listed?: AddressClass; isCarrierNat?: boolean } = {}) =>
  classOf({
    listed: more.listed ? { class: more.listed, network: '203.0.113.0/24' } : null,
    facts,
    isCarrierNat: more.isCarrierNat ?? false,
    dataAt: null,
  });

describe('an address is', () => {
  test.each<[AddressClass, string, DatabaseFacts]>([
    ['unknown', 'of which nothing is known', {}],
    ['unknown', 'of an office', { connectionType: 'Corporate' }],
    ['unknown', 'of which only the country is known', { country: 'UZ', asNumber: 8193 }],
    ['residential', 'on a cable', { connectionType: 'Cable/DSL' }],
    ['residential', 'of a home', { userType: 'residential' }],
    ['mobile', 'on a mobile connection', { connectionType: 'Cellular' }],
    ['mobile', 'of a mobile user', { userType: 'cellular' }],
    ['mobile', 'of a network with a mobile code', { mobileNetwork: '434-05' }],
    ['hosting', 'of a data centre', { isHosting: true, isAnonymous: true }],
    ['hosting', 'of a content network', { userType: 'content_delivery_network' }],
    ['vpn-or-proxy', 'of a VPN', { isVpn: true, isAnonymous: true }],
    ['vpn-or-proxy', 'of a VPN in a data centre', { isVpn: true, isHosting: true }],
    ['vpn-or-proxy', 'of a public proxy', { isPublicProxy: true }],
    ['vpn-or-proxy', 'anonymous, and nobody says how', { isAnonymous: true }],
    ['tor', 'an exit of Tor', { isTorExit: true, isAnonymous: true }],
    ['tor', 'an exit of Tor in a data centre', { isTorExit: true, isHosting: true }],
    [
      'mobile',
      'mobile, and one of its phones is a proxy',
      { connectionType: 'Cellular', isPublicProxy: true },
    ],
    [
      'mobile',
      'mobile, and one of its phones is an exit of Tor',
      { mobileNetwork: '434-05', isTorExit: true },
    ],
    [
      'hosting',
      'mobile by one base and a data centre by another',
      { connectionType: 'Cellular', isHosting: true },
    ],
    // It is what sharing traffic looks like.
    [
      'residential',
      'a residential proxy',
      { connectionType: 'Cable/DSL', isResidentialProxy: true, isAnonymous: true },
    ],
  ])('%s where it is %s', (expected, _what, facts) => {
    expect(classed(facts)).toBe(expected);
  });

  test('mobile inside a carrier’s own network', () => {
    expect(classed({}, { isCarrierNat: true })).toBe('mobile');
  });

  test('what a list says, whatever databases say', () => {
    expect(classed({ isVpn: true }, { listed: 'residential' })).toBe('residential');
    expect(classed({ connectionType: 'Cable/DSL' }, { listed: 'hosting' })).toBe('hosting');
  });
});

describe('a record of a database', () => {
  test('is read by the fields that are there, at its top or under traits', () => {
    expect(factsOf({ is_tor_exit_node: true, is_anonymous: true })).toEqual({
      isTorExit: true,
      isAnonymous: true,
    });
    expect(
      factsOf({
        country: { iso_code: 'UZ' },
        traits: {
          user_type: 'cellular',
          mobile_country_code: '434',
          mobile_network_code: '05',
          isp: 'Ucell',
        },
      }),
    ).toEqual({ userType: 'cellular', mobileNetwork: '434-05', organization: 'Ucell', country: 'UZ' });
    expect(factsOf({ autonomous_system_number: 8193, autonomous_system_organization: 'Uztelecom' })).toEqual({
      asNumber: 8193,
      organization: 'Uztelecom',
    });
  });

  test('of another kind says nothing, and a field of another type is left out', () => {
    for (const record of [null, 'text', 7, [], { is_hosting_provider: 'yes', country: 'UZ', traits: 1 }])
      expect(factsOf(record)).toEqual({});
  });

  test('goes before one of a later database', () => {
    expect(
      mergedFacts([{ connection_type: 'Cellular' }, null, { connection_type: 'Corporate', isp: 'Beeline' }]),
    ).toEqual({ connectionType: 'Cellular', organization: 'Beeline' });
  });
});
