import { availableParallelism } from 'node:os';
import { bodies } from './bodies.ts';
import { broadcasts } from './broadcasts.ts';
import { live } from './earn/live.ts';
import { traffic } from './earn/traffic.ts';
import { enumeration } from './enumeration.ts';
import { intake } from './intake.ts';
import { lists } from './lists.ts';
import { latency } from './latency.ts';
import { messages } from './message/messages.ts';
import { ledgerPosting } from './pay/ledger.ts';
import { payouts } from './pay/payout/payouts.ts';
import { reconciler } from './reconciler.ts';
import { scheduler } from './scheduler.ts';
import { machine } from './support/cpu.ts';
import { print } from './support/figures.ts';
import { readOptions } from './support/options.ts';
import { smsChoice } from './verify/sms-choice.ts';
import { webhook } from './webhook.ts';
import { worker } from './worker.ts';

const benches = {
  intake,
  worker,
  latency,
  reconciler,
  scheduler,
  enumeration,
  bodies,
  broadcasts,
  lists,
  telegram: messages('telegram-message'),
  push: messages('push'),
  webhook,
  'sms-choice': smsChoice,
  ledger: ledgerPosting,
  payout: payouts,
  live,
  traffic,
} as const;

/** `npm run bench -- intake|worker|latency|reconciler|scheduler|telegram|push|webhook|enumeration|bodies|broadcasts|lists|sms-choice|ledger|payout|live|traffic [--rounds n] [--seconds n] …`: `readOptions` has them all. */
const { bench, options } = readOptions(process.argv.slice(2));
const run = Object.entries(benches).find(([name]) => name === bench)?.[1];
if (!run) throw new Error(`expected one of ${Object.keys(benches).join(', ')}`);
console.error(`${availableParallelism()} cores, Node ${process.version}, ${machine()} before the start`);
print(await run(options));
console.error(`${machine()} at the end`);
process.exit(0);
