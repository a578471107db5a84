import { expect, test } from 'vitest';
import { may, type StaffAction, staffActions } from '../../../domain/staff/role-actions.ts';
import { type StaffRole, staffRoles } from '../../../domain/staff/role.ts';

const changes = staffActions.filter((action) => !action.endsWith('.read'));
const ofMoney = [
  'batch.make',
  'batch.approve',
  'batch.run',
  'rail.stop',
  'rail.open',
  'money.correct',
  'price.set',
  'traffic.decide',
  'promo.set',
] as const;
const ofPeople = ['people.block'] as const;
const ofOthers = changes.filter((action) => ![...ofMoney, ...ofPeople].some((other) => other === action));
const allowed = (role: StaffRole, among: readonly StaffAction[]) =>
  among.filter((action) => may(role, action));

test('an admin may do all there is, and be the second person of a payment, never the first', () => {
  const first: readonly StaffAction[] = ['batch.make', 'batch.run'];
  expect(allowed('admin', staffActions)).toEqual(staffActions.filter((action) => !first.includes(action)));
});

test('finance does all of money and nothing else', () => {
  expect(allowed('finance', changes)).toEqual(ofMoney);
  expect(may('finance', 'finance.read')).toBe(true);
});

test('who earns is seen by those who answer them or pay them, and blocked by an admin', () => {
  for (const role of staffRoles) {
    expect(may(role, 'people.read'), role).toBe(['admin', 'operator', 'finance'].includes(role));
    expect(may(role, 'people.block'), role).toBe(role === 'admin');
  }
});

test('operators do every change but those of money and of who earns, and of money they stop a rail and see nothing', () => {
  expect(allowed('operator', changes)).toEqual([...ofOthers, 'rail.stop']);
  expect(may('operator', 'finance.read')).toBe(false);
});

test.each(['developer', 'viewer'] as const)('a %s changes nothing, and sees no money', (role) => {
  expect(changes.length).toBeGreaterThan(0);
  expect(allowed(role, changes)).toEqual([]);
  expect(may(role, 'finance.read')).toBe(false);
});

test('everybody looks, and who did what is read by those who answer for it or check it', () => {
  for (const role of staffRoles) {
    expect(may(role, 'board.read')).toBe(true);
    expect(may(role, 'ops.read')).toBe(true);
    expect(may(role, 'audit.read'), role).toBe(['admin', 'operator', 'finance'].includes(role));
  }
});
