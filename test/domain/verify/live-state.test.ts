import { expect, test } from 'vitest';
import { VerificationState } from '../../../domain/verify/verification.ts';
import { stateName } from '../../../domain/verify/live-state.ts';
import { ShownState } from '../../../domain/identity/approval/challenge.ts';

test('each state has a name of its own, so that who waits hears of every change', () => {
  const names = VerificationState.options.flatMap((status) =>
    [null, ...ShownState.options].map((state) =>
      stateName({ id: 'x', status, approval: state === null ? null : { state, answeredAt: null } }),
    ),
  );
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(encodeURIComponent(name)).toBe(name);
});
