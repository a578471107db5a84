import { readFile } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { LogLine } from '../../../../apps/sandbox/pay/multicard/lines.ts';
import {
  type Multicard,
  type MulticardOptions,
  startMulticard,
} from '../../../../apps/sandbox/pay/multicard/start-multicard.ts';
import { type DraftOrder, RailToken } from '../../../../domain/pay/rail/port.ts';
import { multicard } from '../../../../infra/providers/pay/multicard.ts';
import { temporaryDirectory } from '../support.ts';

export const ACCOUNT = {
  applicationId: 'navbat-test',
  secret: 'a-secret-of-the-sandbox-only',
  storeId: '6',
} as const;
export const CARD = 'sim1';

/** A Multicard on a free port, closed after the test. Its commission is 1 %. */
export async function freshMulticard(options: Partial<MulticardOptions> = {}): Promise<Multicard> {
  const directory = options.directory ?? (await temporaryDirectory());
  const box = await startMulticard({ port: 0, account: ACCOUNT, ...options, directory });
  onTestFinished(() => box.close());
  box.set({ commission_ppm: 10_000 });
  return box;
}

type ClientOptions = Partial<Parameters<typeof multicard>[0]>;
export const railAt = (apiUrl: string, more: ClientOptions = {}) =>
  multicard({ ...ACCOUNT, apiUrl, publicUrl: 'http://127.0.0.1:9', clock: () => new Date(), ...more });

export const orderOf = (reference: string, more: Partial<DraftOrder> = {}): DraftOrder => ({
  reference,
  token: new RailToken(CARD),
  amount: 1_234_500n,
  ...more,
});

/** What an auditor reads. */
export async function linesOf({ logPath }: Pick<Multicard, 'logPath'>): Promise<LogLine[]> {
  const text = await readFile(logPath, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => LogLine.parse(JSON.parse(line)));
}

export const paidIn = (lines: readonly LogLine[]) => lines.filter((line) => line.t === 'paid');
