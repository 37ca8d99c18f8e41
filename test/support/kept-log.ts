/** A log that keeps what it was told. */
export function keptLog() {
  const lines: { level: string; message: string; fields?: object | undefined }[] = [];
  const at = (level: string) => (message: string, fields?: object) => {
    lines.push({ level, message, fields });
  };
  return { lines, error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}
