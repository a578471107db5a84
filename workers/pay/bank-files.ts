import type { BankParty } from '../../domain/pay/bank-file/file.ts';
import { ordersFile } from '../../domain/pay/bank-file/orders.ts';
import type { BankFiles, WrittenFile } from '../../domain/pay/bank-file/port.ts';
import { writeBankFile } from '../../domain/pay/bank-file/write.ts';
import { tashkentDay } from '../../domain/pay/ledger/head.ts';

/** Between two looks, and at once where there is more to write. */
const LOOK_MS = 2_000;
const MORE_MS = 100;

export interface BankFilesDeps {
  readonly files: BankFiles;
  /** Ours, whose account pays. */
  readonly payer: BankParty;
  readonly now: () => Date;
  readonly encode: (text: string) => Buffer;
  readonly onWritten: (batchId: string, file: WrittenFile) => void;
  readonly onFault: (batchId: string, error: unknown) => void;
}

/** Writes the files of running batches, which finance then takes to its bank. What goes wrong with one batch stops no other. */
export function writingBankFiles(deps: BankFilesDeps): () => Promise<number> {
  const { files, payer, now, encode, onWritten, onFault } = deps;
  return async () => {
    let written = 0;
    for (const batchId of await files.waiting()) {
      try {
        const day = tashkentDay(now());
        const done = await files.write(batchId, (orders) =>
          encode(writeBankFile(ordersFile(payer, day, orders))),
        );
        // Paused meanwhile, or the rail is stopped: the next look asks again.
        if (!done.ok || !done.file) continue;
        written += 1;
        onWritten(batchId, done.file);
      } catch (error) {
        onFault(batchId, error);
      }
    }
    return written > 0 ? MORE_MS : LOOK_MS;
  };
}
