import { expect, test } from 'vitest';
import { JobId, ProjectId, VerificationId } from '../../../domain/shared/ids.ts';

test('what is no UUID names no project, job or verification', () => {
  for (const Id of [ProjectId, JobId, VerificationId]) {
    expect(Id.safeParse('01990000-0000-7000-8000-000000000001').success).toBe(true);
    for (const id of [
      '',
      '1',
      '01990000000070008000000000000001',
      "01990000-0000-7000-8000-00000000000'",
      '../jobs',
      1,
      null,
    ])
      expect(Id.safeParse(id).success, String(id)).toBe(false);
  }
});
