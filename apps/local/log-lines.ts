import { z } from 'zod';
import { parseJson } from '../../domain/shared/json.ts';

const NAME_WIDTH = 16;
/** A terminal line that wraps more than twice helps nobody; the whole line is there when the output is not a terminal. */
const FIELDS_CHARS_MAX = 240;
const DIM = '\u001b[2m';
const PLAIN = '\u001b[0m';
const colours: Readonly<Record<string, string>> = {
  warn: '\u001b[33m',
  error: '\u001b[31m',
  fatal: '\u001b[31m',
};

const LogLine = z.looseObject({ level: z.string(), time: z.string(), msg: z.string().default('') });
/** They say which process, which the line's front says already. */
const FRONT_FIELDS = new Set(['level', 'time', 'msg', 'name', 'pid', 'hostname']);

/** A child's line for a person: `12:01:02 worker-otp-send  worker ready kind=otp-send`. What is no log line stays as it is. */
export function prettyLine(child: string, line: string): string {
  const parsed = LogLine.safeParse(parseLine(line));
  const front = child.padEnd(NAME_WIDTH);
  if (!parsed.success) return `${DIM}${' '.repeat(8)}${PLAIN} ${front} ${line}`;
  const { level, time, msg, ...fields } = parsed.data;
  const colour = colours[level] ?? '';
  const said = level === 'info' ? msg : `${level}: ${msg}`;
  return `${DIM}${time.slice(11, 19)}${PLAIN} ${front} ${colour}${said}${PLAIN} ${DIM}${inBrief(fields)}${PLAIN}`;
}

/** A child's line for a program: JSON passes as it is, and what is none (a crash's stack) becomes it. */
export function jsonLine(child: string, line: string, now: Date): string {
  if (typeof parseLine(line) === 'object') return line;
  return JSON.stringify({ level: 'warn', time: now.toISOString(), name: child, msg: line });
}

/** The reader of a log line that tells a person or a program that a worker waits for work. */
export const messageOf = (line: string): string | undefined => LogLine.safeParse(parseLine(line)).data?.msg;

function inBrief(fields: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(fields)
    .filter(([name]) => !FRONT_FIELDS.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  return shown.length > FIELDS_CHARS_MAX ? `${shown.slice(0, FIELDS_CHARS_MAX)}…` : shown;
}

const parseLine = (line: string): unknown => (line.startsWith('{') ? parseJson(line) : undefined);
