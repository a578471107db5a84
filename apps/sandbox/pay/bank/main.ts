import { text } from 'node:stream/consumers';
import iconv from 'iconv-lite';
import { refuseProduction } from '../../start-sandbox.ts';

/**
 * A bank that pays nobody: reads a file of orders (`1CClientBankExchange`, windows-1251) from standard input, and writes the statement
 * that tells each as paid on the day of the file.
 */
const LETTERS = 'windows-1251';

refuseProduction(process.env['NODE_ENV']);
process.stdin.setEncoding('latin1');
const orders = iconv.decode(Buffer.from(await text(process.stdin), 'latin1'), LETTERS);
if (!orders.startsWith('1CClientBankExchange')) {
  process.stderr.write('Expected a file for a bank: GET /finance/batches/{id}/file.\n');
  process.exit(1);
}
process.stdout.write(iconv.encode(statementOf(orders), LETTERS));

function statementOf(orders: string): string {
  const field = (name: string) => new RegExp(`^${name}=(.*?)\\r?$`, 'm').exec(orders)?.[1] ?? '';
  const day = field('ДатаНачала');
  const spent = [...orders.matchAll(/^Сумма=(\d+)\.(\d\d)\r?$/gm)]
    .map(([, uzs = '', tiyin = '']) => BigInt(uzs + tiyin))
    .reduce((sum, one) => sum + one, 0n);
  const total = `${spent / 100n}.${String(spent % 100n).padStart(2, '0')}`;
  const account = [
    'СекцияРасчСчет',
    `ДатаНачала=${day}`,
    `ДатаКонца=${day}`,
    `РасчСчет=${field('РасчСчет')}`,
    `НачальныйОстаток=${total}`,
    'ВсегоПоступило=0.00',
    `ВсегоСписано=${total}`,
    'КонечныйОстаток=0.00',
    'КонецРасчСчет',
  ].join('\r\n');
  return orders
    .replace('\r\nСекцияДокумент', () => `\r\n${account}\r\nСекцияДокумент`)
    .replaceAll('\r\nНазначениеПлатежа=', `\r\nДатаСписано=${day}\r\nНазначениеПлатежа=`);
}
