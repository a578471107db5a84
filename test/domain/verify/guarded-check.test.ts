import { describe, expect, test } from 'vitest';
import { ProjectId } from '../../../domain/shared/ids.ts';
import type { CheckResult } from '../../../domain/verify/check.ts';
import type { Guesser } from '../../../domain/shared/failed-attempt-limiter.ts';
import { checkGuarded, nothingToCheck } from '../../../domain/verify/guarded-check.ts';

const projectId = ProjectId.parse('01990000-0000-7000-8000-000000000001');
const guesser: Guesser = { clients: [{ subject: '192.0.2.1', times: 1 }], keyId: null, projectId };
const check = { projectId, mode: 'live', of: { id: 'x', purpose: null, by: 'service' }, code: '1' } as const;

/** A gate of one that is `blockedFor` so many seconds, and a check that ends so; what became of both. */
function guarded(blockedFor: number | null, end: () => Promise<CheckResult>) {
  const seen: string[] = [];
  const deps = {
    checks: {
      check: () => {
        seen.push('checked');
        return end();
      },
    },
    failures: {
      enter: async () => {
        seen.push('counted');
        return blockedFor;
      },
      forgive: () => {
        seen.push('forgiven');
      },
    },
  };
  return { seen, result: checkGuarded(deps, guesser, check) };
}

describe('a check is counted as wrong before it is made', () => {
  test('and forgiven where it was right', async () => {
    const right = { kind: 'approved', id: 'x', purpose: 'verify', phone: null } as const;
    const { seen, result } = guarded(null, async () => right);
    expect(await result).toEqual(right);
    expect(seen).toEqual(['counted', 'checked', 'forgiven']);
  });

  test.each<CheckResult>([
    { kind: 'incorrect', remaining: 2 },
    { kind: 'closed', reason: 'used' },
    { kind: 'locked' },
    { kind: 'unknown' },
  ])('and not forgiven where it was $result', async (wrong) => {
    const { seen, result } = guarded(null, async () => wrong);
    expect(await result).toEqual(wrong);
    expect(seen).toEqual(['counted', 'checked']);
  });

  test('and forgiven where nothing could be checked', async () => {
    const { seen, result } = guarded(null, () => Promise.reject(new Error('no database')));
    await expect(result).rejects.toThrow('no database');
    expect(seen).toEqual(['counted', 'checked', 'forgiven']);
  });
});

test('whoever is blocked has nothing checked, and is told for how long', async () => {
  const { seen, result } = guarded(7, async () => ({ kind: 'unknown' }));
  expect(await result).toEqual({ kind: 'blocked', retryAfterSeconds: 7 });
  expect(seen).toEqual(['counted']);
});

test('whoever shows no code of theirs never gets a right one', async () => {
  expect(await nothingToCheck.check(check)).toEqual({ kind: 'unknown' });
});
