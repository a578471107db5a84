import { expect, test } from 'vitest';
import { may, staffActions } from '../../../domain/staff/role-actions.ts';
import { staffRoles } from '../../../domain/staff/role.ts';

const changes = staffActions.filter((action) => !action.endsWith('.read'));

test('an admin may do all there is', () => {
  for (const action of staffActions) expect(may('admin', action), action).toBe(true);
});

test('finance, developers and viewers change nothing', () => {
  expect(changes.length).toBeGreaterThan(0);
  for (const role of ['finance', 'developer', 'viewer'] as const)
    for (const action of changes) expect(may(role, action), `${role} ${action}`).toBe(false);
});

test('operators do every change of the queues', () => {
  for (const action of changes) expect(may('operator', action), action).toBe(true);
});

test('everybody looks, and who did what is read by those who answer for it or check it', () => {
  for (const role of staffRoles) {
    expect(may(role, 'board.read')).toBe(true);
    expect(may(role, 'ops.read')).toBe(true);
    expect(may(role, 'audit.read'), role).toBe(['admin', 'operator', 'finance'].includes(role));
  }
});
