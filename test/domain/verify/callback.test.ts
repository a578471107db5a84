import { expect, test } from 'vitest';
import { JobId } from '../../../domain/shared/ids.ts';
import { apiRules } from '../../../domain/staff/access/route-rules.ts';
import { callbackPath } from '../../../domain/verify/callback.ts';

test('a callback names its job and attempt, on the one path that takes them by the provider’s signature', () => {
  const id = JobId.parse('01990000-0000-7000-8000-000000000001');
  expect(callbackPath('twilio', id, 2)).toBe(`/callbacks/twilio/${id}/2`);
  const path = callbackPath('twilio', id, ':attempt').replace(id, ':jobId').replace('twilio', ':name');
  expect(apiRules).toHaveProperty([`POST ${path}`], { by: 'proof', of: 'provider-signature' });
});
