import type { EntityManager } from '@mikro-orm/postgresql';
import type { Projects } from '../../../domain/project/port.ts';
import type { AuditLog } from '../../../domain/staff/audit.ts';
import type { StaffAccounts } from '../../../domain/staff/port.ts';
import type { KeyedHash } from '../../process/crypto.ts';
import { projectStore } from '../project/projects.ts';
import { staffAccounts } from './accounts.ts';
import { auditedByOrm } from './audit.ts';

interface Changes {
  readonly projects: Projects;
  readonly staff: StaffAccounts;
  readonly audit: Pick<AuditLog, 'write'>;
}

/** Projects, keys and staff as one transaction changes them, with the rows of the audit. What `work` throws takes all of it back. */
export const changesOf =
  (em: EntityManager, hash: KeyedHash) =>
  <Out>(work: (changes: Changes) => Promise<Out>): Promise<Out> =>
    em.fork().transactional((tx) => {
      const inside = withinTransaction(tx);
      return work({
        projects: projectStore(inside, hash),
        staff: staffAccounts(inside),
        audit: { write: async (entry) => auditedByOrm(tx, undefined, () => [entry]) },
      });
    });

/** The stores fork it for each call: these forks stay in the transaction, and a transaction in them is a savepoint. */
function withinTransaction(tx: EntityManager): EntityManager {
  const fork: EntityManager['fork'] = (options) => tx.fork({ ...options, keepTransactionContext: true });
  return new Proxy(tx, { get: (target, name) => (name === 'fork' ? fork : Reflect.get(target, name)) });
}
