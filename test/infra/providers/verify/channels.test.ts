import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ConfigError, type Config, readConfig } from '../../../../infra/process/config.ts';
import {
  callbackReadersFromConfig,
  channelsFromConfig,
  listedReadersFromConfig,
  moderatedProviders,
} from '../../../../infra/providers/verify/channels.ts';
import {
  ACCOUNT,
  AUTH_TOKEN,
  BOT_TOKEN,
  freshSandbox,
  GATEWAY_TOKEN,
  SENDER,
} from '../../../apps/sandbox/support.ts';
import { deadline } from '../support.ts';
import { messageTo } from './code-message.ts';

const key = Buffer.alloc(32, 1).toString('base64url');
const required = {
  DATABASE_URL: 'postgres://localhost/navbat',
  MIGRATE_DATABASE_URL: 'postgres://localhost/navbat',
  REDIS_URL: 'redis://localhost',
  CODE_KEYS: `k1:${key}`,
  ENCRYPTION_KEYS: `k1:${key}`,
  PEPPER: key,
  JWT_PRIVATE_JWK: JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: 'x', d: 'd', kid: 'k1' }),
};
const configOf = (variables: Record<string, string>): Config => readConfig({ ...required, ...variables });
const nowhere = () => 'http://127.0.0.1:9/reports';
const urls = { eskiz: nowhere, twilio: nowhere, 'telegram-gateway': nowhere };

const twilio = { TWILIO_ACCOUNT_SID: ACCOUNT, TWILIO_AUTH_TOKEN: AUTH_TOKEN, TWILIO_PHONE_NUMBER: SENDER };

test('without credentials there is no channel and no reader', async () => {
  expect(await channelsFromConfig(configOf({}), urls)).toEqual([]);
  expect(await callbackReadersFromConfig(configOf({}))).toEqual({});
});

test('all four channels reach the sandbox at the addresses that npm start gives them', async () => {
  const sandbox = await freshSandbox();
  const { url } = sandbox;
  const config = configOf({
    ...twilio,
    TWILIO_API_URL: url,
    TELEGRAM_BOT_TOKEN: BOT_TOKEN,
    TELEGRAM_API_ROOT: url,
    TELEGRAM_GATEWAY_TOKEN: GATEWAY_TOKEN,
    TELEGRAM_GATEWAY_URL: `${url}/gateway`,
    FCM_SANDBOX_URL: url,
  });
  const channels = await channelsFromConfig(config, urls);
  expect(channels.map(({ channel }) => channel).toSorted()).toEqual([
    'push',
    'sms',
    'telegram',
    'telegram-gateway',
  ]);
  const message = messageTo({ phone: '+998901234567', chatId: '123456789', pushToken: 'token' });
  for (const channel of channels)
    expect(await channel.send(message, deadline())).toMatchObject({ kind: 'accepted' });
  expect(
    sandbox
      .inbox()
      .map(({ channel }) => channel)
      .toSorted(),
  ).toEqual(['push', 'sms', 'telegram', 'telegram-gateway']);
  expect(Object.keys(await callbackReadersFromConfig(config)).toSorted()).toEqual([
    'telegram-gateway',
    'twilio',
  ]);
});

const eskiz = { ESKIZ_EMAIL: 'sms@navbat.example', ESKIZ_PASSWORD: 'hush-hush', ESKIZ_FROM: '4546' };

test('Eskiz is a second provider of SMS, by its own sandbox and with its own reports', async () => {
  const { url } = await freshSandbox();
  const config = configOf({ ...twilio, TWILIO_API_URL: url, ...eskiz, ESKIZ_API_URL: `${url}/eskiz` });
  const channels = await channelsFromConfig(config, urls);
  expect(channels.map(({ channel, provider }) => `${channel} ${provider}`).toSorted()).toEqual([
    'sms eskiz',
    'sms twilio',
  ]);
  const message = messageTo({ phone: '+998901234567' });
  for (const channel of channels)
    expect(await channel.send(message, deadline())).toMatchObject({ kind: 'accepted' });
  expect(Object.keys(await callbackReadersFromConfig(config)).toSorted()).toEqual(['eskiz', 'twilio']);
  expect(moderatedProviders(config)).toEqual(['eskiz']);
  const reader = channels.find(({ provider }) => provider === 'eskiz')?.templates;
  expect(await reader?.read()).toMatchObject({ ok: true });
});

test.each(Object.keys(eskiz))('half of Eskiz stops the start and names %s, no value', async (name) => {
  const { [name as keyof typeof eskiz]: _, ...half } = eskiz;
  const made = channelsFromConfig(configOf(half), urls);
  await expect(made).rejects.toThrow(ConfigError);
  await expect(made).rejects.toThrow(new RegExp(`^${name}: expected a value, .*$`));
  await expect(made).rejects.not.toThrow('hush-hush');
});

test.each(Object.keys(twilio))('half of Twilio stops the start and names %s, no value', async (name) => {
  const { [name as keyof typeof twilio]: _, ...half } = twilio;
  const made = channelsFromConfig(configOf(half), urls);
  await expect(made).rejects.toThrow(ConfigError);
  await expect(made).rejects.toThrow(new RegExp(`^${name}: expected a value, .*$`));
  await expect(made).rejects.not.toThrow(AUTH_TOKEN);
});

const playMobile = {
  PLAY_MOBILE_LOGIN: 'navbat',
  PLAY_MOBILE_PASSWORD: 'hush-hush',
  PLAY_MOBILE_FROM: '3700',
};

test.each(Object.keys(playMobile))(
  'half of Play Mobile stops the start and names %s, no value',
  async (name) => {
    const { [name as keyof typeof playMobile]: _, ...half } = playMobile;
    const made = channelsFromConfig(configOf(half), urls);
    await expect(made).rejects.toThrow(ConfigError);
    await expect(made).rejects.toThrow(new RegExp(`^${name}: expected a value, .*$`));
    await expect(made).rejects.not.toThrow('hush-hush');
  },
);

test('a whole account of Play Mobile sends SMS, and its reports are read', async () => {
  const [sms, ...others] = await channelsFromConfig(configOf(playMobile), urls);
  expect(sms).toMatchObject({ channel: 'sms', provider: 'play-mobile' });
  expect(others).toEqual([]);
  expect(Object.keys(await listedReadersFromConfig(configOf(playMobile)))).toEqual(['play-mobile']);
  expect(await listedReadersFromConfig(configOf({}))).toEqual({});
});

test('a service account that is none stops the start, and is not quoted', async () => {
  const account = { project_id: 'navbat', client_email: 'a@b.c', private_key: 'secret-that-is-no-key' };
  const made = channelsFromConfig(configOf({ FIREBASE_SERVICE_ACCOUNT: JSON.stringify(account) }), urls);
  await expect(made).rejects.toThrow(/^FIREBASE_SERVICE_ACCOUNT: expected a service account/);
  await expect(made).rejects.not.toThrow('secret-that-is-no-key');
});

test('a process with no provider loads none of their packages', () => {
  const script = `
    const { channelsFromConfig } = await import('./infra/providers/verify/channels.ts');
    await channelsFromConfig({}, {});
    const { createRequire } = await import('node:module');
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    console.log(loaded.filter((path) => /node_modules\\/(twilio|firebase-admin|axios)\\//.test(path)).length);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout.trim()).toBe('0');
});
