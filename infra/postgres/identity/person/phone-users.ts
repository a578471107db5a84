import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { PhoneUser, PhoneUsers } from '../../../../domain/identity/person/phone-user.ts';

/** Before the phone of a test key's user. */
export const TEST_PREFIX = 'test:';

export function phoneUsers(pool: pg.Pool): PhoneUsers {
  return {
    login: async (projectId, mode, phone, now) => {
      const { rows } = await pool.query<PhoneUser>(
        `insert into phone_user (id, project_id, phone, created_at, last_login_at) values ($1, $2, $3, $4, $4)
         on conflict (project_id, phone) do update set last_login_at = excluded.last_login_at returning id, phone`,
        [uuidv7(), projectId, mode === 'test' ? TEST_PREFIX + phone : phone, now],
      );
      const [user] = rows;
      if (!user) throw new Error('the login returned no row');
      return user;
    },
  };
}
