import type { Mutation } from './mutation.ts';

const GRANTS = 'infra/postgres/engine/grants.ts';
const ROLE = 'infra/postgres/runtime-role.ts';
const AUDIT = 'infra/postgres/staff/migrations/20261129150000-staff-audit-kept.ts';
const inRole = (name: string) => ({ file: 'test/infra/postgres/runtime-role.test.ts', name });
const auditTest = 'test/infra/postgres/staff/audit-kept.test.ts';

export const roleMutations: readonly Mutation[] = [
  {
    name: 'a grant too many is not noticed',
    edits: [
      {
        file: GRANTS,
        from: 'surplus: held.filter((each) => !should.has(inWords(each))),',
        to: 'surplus: held.filter(() => should.size === 0),',
      },
    ],
    test: inRole('no process starts, it is told, and a migration mends it'),
  },
  {
    name: 'a grant to everybody is not noticed',
    edits: [{ file: GRANTS, from: 'where acl.grantee in (0, (select', to: 'where acl.grantee in ((select' }],
    test: inRole('no process starts, it is told, and a migration mends it'),
  },
  {
    name: 'a superuser may run',
    edits: [
      {
        file: ROLE,
        from: 'if (is_superuser) return',
        to: 'if (is_superuser) return null;\n  if (is_superuser) return',
      },
    ],
    test: inRole('a superuser and the owner of the tables may not, and are told whom to name'),
  },
  {
    name: 'the owner of the tables may run',
    edits: [{ file: ROLE, from: 'if (owns !== null) return', to: 'if (owns === name) return' }],
    test: inRole('a superuser and the owner of the tables may not, and are told whom to name'),
  },
  {
    name: 'the owner may change the audit',
    edits: [
      {
        file: AUDIT,
        from: 'before update or delete or truncate on audit',
        to: 'before delete or truncate on audit',
      },
    ],
    test: { file: auditTest, name: 'the owner of the audit is refused too' },
  },
  {
    name: 'navbat_app may update the audit',
    edits: [
      {
        file: 'infra/postgres/staff/grants.ts',
        from: "audit: { select: 'all', insert: [",
        to: "audit: { select: 'all', update: 'all', insert: [",
      },
    ],
    test: { file: auditTest, name: 'refuses update', isMade: true },
  },
];
