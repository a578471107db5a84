import { fault } from '../../domain/pay/list/faults.ts';
import { FILE_BYTES_MAX, type ListRail } from '../../domain/pay/list/limits.ts';
import { faulty, type ReadList, readList } from '../../domain/pay/list/read-list.ts';
import { csvRows } from './csv.ts';
import { xlsxRows } from './xlsx.ts';

/** A ZIP archive, which an XLSX is. */
const ZIP = Buffer.from('PK\u0003\u0004', 'latin1');
/** An OLE file: the older XLS, and an XLSX with a password. */
const OLE = Buffer.from('d0cf11e0a1b11ae1', 'hex');

/** The list in a file, whatever its name says it is. */
export async function readBytes(bytes: Buffer, rail: ListRail): Promise<ReadList> {
  if (bytes.length === 0) return faulty([fault('file-empty', { line: 1 })]);
  if (bytes.length > FILE_BYTES_MAX)
    return faulty([fault('file-too-large', { line: 1 }, { expected: `at most ${FILE_BYTES_MAX} bytes` })]);
  if (bytes.subarray(0, OLE.length).equals(OLE)) return faulty([fault('file-encrypted', { line: 1 })]);
  const read = bytes.subarray(0, ZIP.length).equals(ZIP) ? await xlsxRows(bytes) : csvRows(bytes);
  return read.ok ? readList(read.rows, rail) : faulty([read.fault]);
}
