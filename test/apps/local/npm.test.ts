import { expect, test } from 'vitest';
import { npmProcesses } from '../../../apps/local/npm.ts';

const facts = new Map([
  [20, { name: 'npm start', parent: 10 }],
  [21, { name: 'sh', parent: 20 }],
]);
const factsOf = (pid: number) => facts.get(pid);

test('npm and its shell are watched, and never the shell that a person started npm from', () => {
  expect(npmProcesses('start', 21, factsOf)).toEqual([21, 20]);
  // A shell that replaces itself by its last command leaves npm as our parent.
  expect(npmProcesses('start', 20, factsOf)).toEqual([20]);
  expect(npmProcesses('start', 99, factsOf)).toEqual([99]);
});

test('without npm nobody is watched: a script may end and leave us running', () => {
  expect(npmProcesses(undefined, 21, factsOf)).toEqual([]);
});
