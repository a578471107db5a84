import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { classOf } from '../../../../domain/earn/address/class.ts';
import { configuredFiles } from '../../../../infra/earn/address/configured.ts';
import { openAddressData } from '../../../../infra/earn/address/data.ts';
import { ConfigError } from '../../../../infra/process/config.ts';
import { mmdb } from '../../../support/mmdb.ts';

const built = new Date('2026-11-20T10:00:00Z');

async function ground() {
  const directory = await mkdtemp(join(tmpdir(), 'addresses-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const told: string[] = [];
  const log = {
    info: (_facts: object, text: string) => void told.push(`info: ${text}`),
    error: (_facts: object, text: string) => void told.push(`error: ${text}`),
  } as never;
  const put = async (name: string, content: Buffer | string, at?: Date) => {
    const path = join(directory, name);
    await writeFile(path, content);
    if (at) await utimes(path, at, at);
    return path;
  };
  const open = async (config: Parameters<typeof configuredFiles>[0]) => {
    const data = await openAddressData(configuredFiles(config), log);
    onTestFinished(() => data.close());
    return { ...data, classOf: (address: string) => classOf(data.evidenceOf(address)) };
  };
  return { put, open, told };
}

test('databases and lists are asked together, of IPv4, of IPv6, and of IPv4 mapped into it', async () => {
  const { put, open } = await ground();
  const anonymous = await put(
    'anonymous.mmdb',
    mmdb(
      {
        '198.51.100.0/24': { is_hosting_provider: true, is_anonymous: true },
        '2001:db8::/32': { is_anonymous_vpn: true },
      },
      built,
    ),
  );
  const isp = await put(
    'isp.mmdb',
    mmdb(
      { '203.0.113.0/24': { connection_type: 'Cellular', isp: 'Ucell', autonomous_system_number: 31203 } },
      built,
    ),
  );
  const tor = await put('tor.txt', '192.0.2.66\n');
  const data = await open({
    ADDRESS_DATABASES: [anonymous, isp],
    ADDRESS_LISTS: [{ name: 'tor', path: tor }],
  });
  expect(
    [
      '198.51.100.9',
      '::ffff:198.51.100.9',
      '2001:db8::9',
      '203.0.113.200',
      '192.0.2.66',
      '192.0.2.67',
      '100.64.1.1',
      'x',
    ].map(data.classOf),
  ).toEqual(['hosting', 'hosting', 'vpn-or-proxy', 'mobile', 'tor', 'unknown', 'mobile', 'unknown']);
  expect(data.evidenceOf('203.0.113.200')).toEqual({
    listed: null,
    facts: { connectionType: 'Cellular', organization: 'Ucell', asNumber: 31203 },
    isCarrierNat: false,
    dataAt: built,
  });
});

describe('the data is as old as its oldest file', () => {
  const old = new Date('2026-10-01T00:00:00Z');
  test.each([
    [
      'a database, by its own word',
      (put: Put) => put('a.mmdb', mmdb({ '203.0.113.0/24': { isp: 'x' } }, old)),
      old,
    ],
    ['a list, by its head', (put: Put) => put('a.txt', '# 2026-10-01\n192.0.2.66'), old],
    ['a list, by its file', (put: Put) => put('a.txt', '192.0.2.66', old), old],
    // Of a date that is still to come.
    ['a list, by its file', (put: Put) => put('a.txt', '# 2099-01-01\n192.0.2.66', old), old],
  ] as const)('%s', async (_which, write, expected) => {
    const { put, open } = await ground();
    const path = await write(put);
    const young = await put('b.mmdb', mmdb({ '203.0.113.0/24': { isp: 'x' } }, built));
    const isList = path.endsWith('.txt');
    const data = await open({
      ADDRESS_DATABASES: isList ? [young] : [path, young],
      ADDRESS_LISTS: isList ? [{ name: 'tor', path }] : undefined,
    });
    expect(data.evidenceOf('192.0.2.1').dataAt).toEqual(expected);
  });
  type Put = Awaited<ReturnType<typeof ground>>['put'];
});

test('a file that changes is read again, and one that is broken by then is told, and holds', async () => {
  const { put, open, told } = await ground();
  const list = await put('a.txt', '192.0.2.66\n');
  const base = await put('a.mmdb', mmdb({ '203.0.113.0/24': { connection_type: 'Cellular' } }, built));
  const data = await open({ ADDRESS_DATABASES: [base], ADDRESS_LISTS: [{ name: 'tor', path: list }] });
  expect(['192.0.2.66', '203.0.113.9'].map(data.classOf)).toEqual(['tor', 'mobile']);
  await data.refresh();
  expect(told).toEqual([]);
  await put('a.txt', '192.0.2.67\n192.0.2.68\n');
  await put('a.mmdb', 'broken');
  await data.refresh();
  expect(['192.0.2.66', '192.0.2.67', '203.0.113.9'].map(data.classOf)).toEqual(['unknown', 'tor', 'mobile']);
  expect(told.toSorted()).toEqual([
    'error: a file of addresses can not be read; what it said before holds',
    'info: a file of addresses was read again',
  ]);
});

test('without files nothing is known of any address', async () => {
  const { open } = await ground();
  const data = await open({ ADDRESS_DATABASES: undefined, ADDRESS_LISTS: undefined });
  expect(data.evidenceOf('203.0.113.9')).toEqual({
    listed: null,
    facts: {},
    isCarrierNat: false,
    dataAt: null,
  });
});

describe('a process does not start', () => {
  test.each([
    [
      'with a file that is not there',
      async () => ({ ADDRESS_DATABASES: ['/nowhere/a.mmdb'] }),
      'ADDRESS_DATABASES: /nowhere/a.mmdb',
    ],
    [
      'with a database that is none',
      async (put: Awaited<ReturnType<typeof ground>>['put']) => ({
        ADDRESS_DATABASES: [await put('a.mmdb', 'text')],
      }),
      'ADDRESS_DATABASES: ',
    ],
    [
      'with a line that is no network',
      async (put: Awaited<ReturnType<typeof ground>>['put']) => ({
        ADDRESS_LISTS: [{ name: 'tor', path: await put('a.txt', 'here') }],
      }),
      'line 1',
    ],
    [
      'with a class that there is not',
      async (put: Awaited<ReturnType<typeof ground>>['put']) => ({
        ADDRESS_LISTS: [{ name: 'proxy', path: await put('a.txt', '192.0.2.1') }],
      }),
      'ADDRESS_LISTS: expected class=path',
    ],
  ] as const)('%s', async (_what, config, says) => {
    const { put, open } = await ground();
    const opened = open({ ADDRESS_DATABASES: undefined, ADDRESS_LISTS: undefined, ...(await config(put)) });
    await expect(opened).rejects.toThrow(ConfigError);
    await expect(opened).rejects.toThrow(says);
  });
});
