import iconv from 'iconv-lite';
import type { BankFileFault } from '../../domain/pay/bank-file/read.ts';
import type { BankEncoding } from '../../domain/pay/bank-file/letters.ts';

const charsets = { Windows: 'windows-1251', DOS: 'cp866' } as const satisfies Record<BankEncoding, string>;

/**
 * The bytes of a file that `writeBankFile` wrote.
 *
 * @throws where a sign is lost: it has another encoding than it says, or was written past `bankText`.
 */
export function bankFileBytes(text: string, encoding: BankEncoding): Buffer {
  const bytes = iconv.encode(text, charsets[encoding]);
  if (iconv.decode(bytes, charsets[encoding]) !== text)
    throw new RangeError(`a sign of the bank file is not in ${charsets[encoding]}`);
  return bytes;
}

export type BankFileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly faults: readonly BankFileFault[] };

const FIELD = 'Кодировка=';
/** The header is a few lines: a file that has not said its encoding by then is none. */
const HEADER_BYTES_MAX = 4_096;
/** What iconv-lite writes for a byte that the encoding does not have. */
const LOST = '\uFFFD';

/** Which encoding a file has is seen by the bytes of the word with which it says so. */
export function bankFileText(bytes: Uint8Array): BankFileText {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = buffer.subarray(0, HEADER_BYTES_MAX);
  for (const charset of [...Object.values(charsets), 'utf-8']) {
    const at = header.indexOf(iconv.encode(FIELD, charset));
    if (at < 0) continue;
    const line = iconv.decode(header.subarray(0, at), charset).split('\n').length;
    const said = /^\w*/.exec(iconv.decode(header.subarray(at), charset).slice(FIELD.length))?.[0];
    if (charsets[said as BankEncoding] !== charset)
      return fault(
        line,
        `The file says ${FIELD}${said}, and is written in ${charset}. Expected Windows (windows-1251) or DOS (cp866), as it says.`,
      );
    return lossless(iconv.decode(buffer, charset), charset);
  }
  return fault(1, `Expected a line ${FIELD}Windows or ${FIELD}DOS in the header, in that encoding.`);
}

function lossless(text: string, charset: string): BankFileText {
  const at = text.indexOf(LOST);
  if (at < 0) return { ok: true, text };
  return fault(text.slice(0, at).split('\n').length, `A byte on this line is no sign of ${charset}.`);
}

const fault = (line: number, says: string): BankFileText => ({
  ok: false,
  faults: [{ line, fault: 'wrong-encoding', says }],
});
