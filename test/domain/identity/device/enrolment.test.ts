import { expect, test } from 'vitest';
import {
  DeviceName,
  DevicePlatform,
  ENROLMENT_TOKEN_BYTES,
  enrolmentLink,
  EnrolmentToken,
} from '../../../../domain/identity/device/enrolment.ts';

const token = Buffer.alloc(ENROLMENT_TOKEN_BYTES, 0xff).toString('base64url');

test('a token of the length that we make is taken, and no other text is', () => {
  expect(EnrolmentToken.parse(token)).toBe(token);
  for (const text of [
    '',
    token.slice(1),
    `${token}a`,
    `${token}\n`,
    `${token.slice(1)}=`,
    `${token.slice(1)}&`,
  ])
    expect(EnrolmentToken.safeParse(text).success, JSON.stringify(text)).toBe(false);
});

test('a link opens the app with the token as it is: nothing of it needs to be escaped', () => {
  const link = new URL(enrolmentLink(EnrolmentToken.parse(token)));
  expect(link.protocol).toBe('navbat:');
  expect(link.searchParams.get('token')).toBe(token);
});

test('a name of 64 characters is taken once the space around it is gone, and one of 65 or none is refused', () => {
  expect(DeviceName.parse(`  ${'я'.repeat(64)} `)).toBe('я'.repeat(64));
  for (const name of ['', '   ', 'я'.repeat(65)]) expect(DeviceName.safeParse(name).success).toBe(false);
});

test('a platform is one short plain word or several', () => {
  for (const platform of ['android 16', 'iOS', 'a'.repeat(32)])
    expect(DevicePlatform.safeParse(platform).success).toBe(true);
  for (const platform of ['', ' ios', '<b>', 'a\nb', 'андроид', 'a'.repeat(33)])
    expect(DevicePlatform.safeParse(platform).success, platform).toBe(false);
});
