import { expect, test } from 'vitest';
import { StaffRole, staffRoles } from '../../../domain/staff/role.ts';

test('a role that is not there, or is written otherwise, gives nobody any', () => {
  for (const role of staffRoles) expect(StaffRole.safeParse(role).success).toBe(true);
  for (const role of ['', 'root', 'Admin', 'admin ', null, 0])
    expect(StaffRole.safeParse(role).success).toBe(false);
});
