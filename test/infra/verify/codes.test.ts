import { expect, test } from 'vitest';
import { JobId, ProjectId, VerificationId } from '../../../domain/shared/ids.ts';
import { codeOf, numberOf } from '../../../infra/verify/codes.ts';

const uuid = (n: number) => `01990000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const ring = (byte: number, ...kids: string[]) => ({
  current: kids[0] ?? '',
  keys: new Map(kids.map((kid, n) => [kid, Buffer.alloc(32, byte + n)])),
});
const verification = {
  id: VerificationId.parse(uuid(1)),
  projectId: ProjectId.parse(uuid(2)),
  purpose: 'login',
  codeKid: 'a',
  codeGeneration: 0,
  codeLength: 8,
};

test('a code is the same at each use, in each process that has the key, and has the length that was asked for', () => {
  const code = codeOf(ring(1, 'a'))(verification);
  expect(codeOf(ring(1, 'a'))(verification)).toBe(code);
  for (const codeLength of [4, 5, 6, 8])
    expect(codeOf(ring(1, 'a'))({ ...verification, codeLength })).toMatch(new RegExp(`^\\d{${codeLength}}$`));
});

test('a code is another one for every other verification, project, purpose, generation and key', () => {
  const of = codeOf(ring(1, 'a', 'b'));
  const codes = [
    of(verification),
    of({ ...verification, id: VerificationId.parse(uuid(3)) }),
    of({ ...verification, projectId: ProjectId.parse(uuid(3)) }),
    of({ ...verification, purpose: 'verify' }),
    of({ ...verification, codeGeneration: 1 }),
    of({ ...verification, codeKid: 'b' }),
    codeOf(ring(9, 'a'))(verification),
  ];
  expect(new Set(codes).size).toBe(codes.length);
});

test('the number that a requester shows has two digits, is one send’s own, and none once its key has retired', () => {
  const of = numberOf(ring(1, 'a'));
  const numbers = Array.from({ length: 300 }, (_, n) => of({ kid: 'a', jobId: JobId.parse(uuid(n)) }));
  for (const number of numbers) expect(number).toMatch(/^\d\d$/);
  // Of a hundred numbers, three hundred sends leave about five unused.
  expect(new Set(numbers).size).toBeGreaterThan(80);
  expect(of({ kid: 'a', jobId: JobId.parse(uuid(7)) })).toBe(numbers[7]);
  expect(of({ kid: 'retired', jobId: JobId.parse(uuid(7)) })).toBeNull();
});
