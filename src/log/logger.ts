import { Writable } from 'node:stream';
import winston from 'winston';
import { hasPassed } from '../elapsed.js';
import { counted } from '../printable.js';
import { LogFile, type OnLost, type Reopening } from './log-file.js';

/** What the rest of siptrust asks of an operator log. */
export interface Logger {
  error(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  debug(message: string, fields?: object): void;
}

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface OperatorLog extends Logger {
  /** Changes the level while running. */
  setLevel(level: LogLevel): void;
  level(): LogLevel;
  close(): Promise<void>;
}

const line = winston.format.printf(({ timestamp, level, message, ...fields }) => {
  const rest = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
  // One event is one line, whatever a foreign value holds.
  return `${String(timestamp)} ${level} ${String(message).replace(/[\r\n\0]+/g, ' ')}${rest}`;
});

/**
 * The operator log: one line an event, in a file or, without one, on standard error.
 * @throws {Error} the file cannot be opened
 */
export function operatorLog(path: string | undefined, level: LogLevel): OperatorLog & Reopening {
  const file = path === undefined ? undefined : new LogFile(path, onceAMinute(told));
  const logger = winston.createLogger({
    level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: winston.format.combine(winston.format.timestamp(), line),
    transports: [
      file === undefined
        ? new winston.transports.Console({ stderrLevels: [...LOG_LEVELS] })
        : new winston.transports.Stream({ stream: into(file), eol: '\n' }),
    ],
  });
  return {
    error: (message, fields = {}) => void logger.log('error', message, fields),
    warn: (message, fields = {}) => void logger.log('warn', message, fields),
    info: (message, fields = {}) => void logger.log('info', message, fields),
    debug: (message, fields = {}) => void logger.log('debug', message, fields),
    setLevel: (next) => {
      logger.level = next;
    },
    level: () => LOG_LEVELS.find((name) => name === logger.level) ?? 'info',
    reopen: async () => file?.reopen(),
    close: async () => {
      if (file === undefined) return;
      const [target] = logger.transports;
      const finished = new Promise<void>((resolve) => target?.once('finish', resolve));
      logger.end();
      await finished;
      await file.close();
    },
  };

  /** Standard error is what is left. */
  function told(lines: number, why: string): void {
    process.stderr.write(
      `siptrustd: ${path}: ${counted(lines, 'line')} of the log ${lines === 1 ? 'was' : 'were'} lost: ${why}\n`,
    );
  }
}

/** Never full, never failing: the file tells what it loses. */
function into(file: LogFile): Writable {
  return new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => {
      file.write(text);
      done();
    },
  });
}

const TELL_MS = 60_000;

/** Gathers losses: the first is told at once, further ones once a minute. */
export function onceAMinute(tell: OnLost, clock: () => number = Date.now): OnLost {
  let lost = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  return (lines, why) => {
    lost += lines;
    if (!hasPassed(toldAt, TELL_MS, clock())) return;
    toldAt = clock();
    tell(lost, why);
    lost = 0;
  };
}

/** JSON Lines: one object a line, as it is. */
export interface JsonLines extends Reopening {
  write(record: object): void;
  close(): Promise<void>;
}

/** How long a line waits for others: each write by itself costs more than the question that the line is about. */
const GATHER_MS = 5;
/** Lines that are written at once without waiting for more. */
const GATHER_LINES = 500;

/**
 * Opens a JSON Lines log in a file.
 * @throws {Error} the file cannot be opened
 */
export function jsonLines(path: string, onLost: OnLost): JsonLines {
  const file = new LogFile(path, onLost);
  let lines: string[] = [];
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (lines.length === 0) return;
    file.write(`${lines.join('\n')}\n`, lines.length);
    lines = [];
  }

  return {
    write: (record) => {
      lines.push(JSON.stringify(record));
      if (lines.length >= GATHER_LINES) flush();
      else timer ??= setTimeout(flush, GATHER_MS);
    },
    reopen: () => {
      flush();
      return file.reopen();
    },
    close: () => {
      flush();
      return file.close();
    },
  };
}
