import winston from 'winston';

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

function transport(file: string | undefined): winston.transport {
  if (file === undefined) return new winston.transports.Console({ stderrLevels: [...LOG_LEVELS] });
  return new winston.transports.File({ filename: file });
}

const line = winston.format.printf(({ timestamp, level, message, ...fields }) => {
  const rest = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
  // One event is one line, whatever a foreign value holds.
  return `${String(timestamp)} ${level} ${String(message).replace(/[\r\n\0]+/g, ' ')}${rest}`;
});

/** The operator log: one line an event, in a file or, without one, on standard error. */
export function operatorLog(file: string | undefined, level: LogLevel): OperatorLog {
  const logger = winston.createLogger({
    level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: winston.format.combine(winston.format.timestamp(), line),
    transports: [transport(file)],
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
    close: () => closed(logger),
  };
}

/** JSON Lines: one object a line, as it is. */
export interface JsonLines {
  write(record: object): void;
  close(): Promise<void>;
}

const raw = winston.format.printf(({ message }) => String(message));

/** How long a line waits for others: each write by itself costs more than the question that the line is about. */
const GATHER_MS = 5;
/** Lines that are written at once without waiting for more. */
const GATHER_LINES = 500;

/** Opens a JSON Lines log in a file. */
export function jsonLines(file: string): JsonLines {
  const target = transport(file);
  const logger = winston.createLogger({ level: 'info', format: raw, transports: [target] });
  let lines: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  /** Texts that winston has and the file has not. */
  let underWay = 0;
  let onEmpty = () => {};
  target.on('logged', () => {
    underWay -= 1;
    if (underWay === 0) onEmpty();
  });

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (lines.length === 0) return;
    const text = lines.join('\n');
    lines = [];
    underWay += 1;
    logger.info(text);
  }

  return {
    write: (record) => {
      lines.push(JSON.stringify(record));
      if (lines.length >= GATHER_LINES) flush();
      else timer ??= setTimeout(flush, GATHER_MS);
    },
    close: async () => {
      flush();
      // An ended logger ends its transports at once, and drops what still waits for them.
      if (underWay > 0) {
        await new Promise<void>((resolve) => {
          onEmpty = resolve;
          target.once('error', () => resolve());
        });
      }
      await closed(logger);
    },
  };
}

/** Ends a logger after its last line has reached the target. */
function closed(logger: winston.Logger): Promise<void> {
  return new Promise((resolve) => {
    const files = logger.transports.filter((each) => each instanceof winston.transports.File);
    let open = files.length;
    if (open === 0) return resolve();
    for (const file of files) {
      file.once('finish', () => {
        open -= 1;
        if (open === 0) resolve();
      });
    }
    logger.end();
  });
}
