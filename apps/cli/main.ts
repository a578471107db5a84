import { text } from 'node:stream/consumers';
import { runCommand } from './run.ts';

process.exitCode = await runCommand(process.argv.slice(2), {
  variables: process.env,
  writeOut: (out) => void process.stdout.write(out),
  writeErr: (err) => void process.stderr.write(err),
  readStdin: () => text(process.stdin),
});
