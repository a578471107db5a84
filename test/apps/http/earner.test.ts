import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { requireSession } from '../../../apps/http/authenticate.ts';
import { DeviceId } from '../../../domain/identity/device/device.ts';
import { PersonId } from '../../../domain/identity/person/person.ts';
import { RecipientId } from '../../../domain/identity/recipient/recipient.ts';
import { type PersonCaller, SessionId } from '../../../domain/identity/session/session.ts';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { ProjectId } from '../../../domain/shared/ids.ts';

const now = new Date('2026-11-29T10:00:00Z');
const moneyProject = ProjectId.parse(randomUUID());
const earner: PersonCaller = {
  personId: PersonId.parse(randomUUID()),
  sessionId: SessionId.parse(randomUUID()),
  recipientId: RecipientId.parse(randomUUID()),
  projectId: moneyProject,
  mode: 'live',
  deviceId: null,
  authenticatedAt: now,
  tokenEndsAt: new Date(now.getTime() + 600_000),
};
const ask = (person: Partial<PersonCaller>, project: ProjectId | null = moneyProject, fresh = false) =>
  requireSession({ ...earner, ...person }, { session: 'earner', fresh }, project, now);

describe('a route of earners', () => {
  test('lets in a live session of the project in which people earn', () => {
    expect(() => ask({})).not.toThrow();
    expect(() => ask({ projectId: PLATFORM_PROJECT_ID }, PLATFORM_PROJECT_ID)).not.toThrow();
  });

  test.each<[string, Partial<PersonCaller>, ProjectId | null, string]>([
    ['of another project', { projectId: ProjectId.parse(randomUUID()) }, moneyProject, 'of no other'],
    ["of Navbat's own app", { projectId: PLATFORM_PROJECT_ID }, moneyProject, 'of no other'],
    [
      'of a bound device',
      { projectId: PLATFORM_PROJECT_ID, deviceId: DeviceId.parse(randomUUID()) },
      moneyProject,
      'of no other',
    ],
    ['of a test key', { mode: 'test' }, moneyProject, 'live session'],
    ['where MONEY_PROJECT is not set', {}, null, 'MONEY_PROJECT'],
  ])('refuses a session %s', (_which, person, project, detail) => {
    expect(() => ask(person, project)).toThrow(
      expect.objectContaining({
        status: 403,
        type: 'earner-session-required',
        message: expect.stringContaining(detail),
      }),
    );
  });

  test('asks for a proof of the last five minutes where it says so', () => {
    const earlier = { authenticatedAt: new Date(now.getTime() - 301_000) };
    expect(() => ask(earlier)).not.toThrow();
    expect(() => ask(earlier, moneyProject, true)).toThrow(expect.objectContaining({ status: 401 }));
  });
});
