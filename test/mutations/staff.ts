import type { Mutation } from './mutation.ts';

const AGE = 'infra/postgres/staff/migrations/20261129190200-staff-proof-age.ts';
const OUTCOME = 'infra/postgres/staff/migrations/20261129185000-staff-proof-factor.ts';
const inProofs = (name: string) => ({ file: 'test/infra/postgres/staff/proofs.test.ts', name });

export const staffMutations: readonly Mutation[] = [
  {
    name: 'a proof is not bound to what it approves',
    edits: [
      {
        file: OUTCOME,
        from: "if found_proof.binds_hash is distinct from staff_proof_outcome.binds_hash then return 'other-subject'; end if;",
        to: '',
      },
    ],
    test: inProofs('approves nothing of another'),
  },
  {
    name: 'a proof is not spent',
    edits: [
      {
        file: OUTCOME,
        from: 'update staff_proof p set used_at = greatest(right_now, p.at) where p.id = found_proof.id;',
        to: '',
      },
    ],
    test: inProofs('approves once'),
  },
  {
    name: 'a proof is read without its lock',
    edits: [{ file: OUTCOME, from: 'for update of p for share of s;', to: 'for share of s;' }],
    test: inProofs(
      'of two connections that hold their transactions open, the second is told that it is used',
    ),
  },
  {
    name: 'a proof lives for ever',
    edits: [{ file: OUTCOME, from: "return 'stale';", to: 'null;' }],
    test: inProofs('approves for five minutes, and not half a second longer'),
  },
  {
    name: "anybody's proof will do",
    edits: [
      {
        file: OUTCOME,
        from: 'where p.id = staff_proof_outcome.proof and p.staff_id = staff_proof_outcome.staff',
        to: 'where p.id = staff_proof_outcome.proof',
      },
    ],
    test: inProofs("is nobody else's, and nothing once its maker is disabled"),
  },
  {
    name: 'staff_proof_use approves whatever is told',
    edits: [{ file: AGE, from: "if outcome <> 'ok' then", to: 'if false then' }],
    test: inProofs('staff_proof_use takes what its own bytes bind, and raises NB023 for all else'),
  },
  {
    name: 'the row of the audit follows the commit',
    edits: [
      {
        file: 'infra/postgres/staff/audit.ts',
        from: 'for (const entry of audits(result)) await writeAudit(tx, entry);',
        to: "await tx.query('commit');\n  await tx.query('begin');\n  for (const entry of audits(result)) await writeAudit(tx, entry);",
      },
    ],
    test: {
      file: 'test/apps/board/audit-commit.test.ts',
      name: 'a passkey that leaves no row in the audit is neither registered, renamed nor removed',
    },
  },
];
