/** What is wrong with a line that is no YAML, in words: of the mistakes that are made most, with what to write instead. */

/** A fault as the YAML library tells it. */
export interface YamlFault {
  readonly code: string;
  readonly message: string;
}

const NO_COLON = 'expected "key: value", found a line without ": " (a colon and a blank)';

const WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'expected blanks as indentation, found a tab',
  MULTIPLE_DOCS: 'expected one document, found another (after "---" or "...")',
  MULTILINE_IMPLICIT_KEY: NO_COLON,
  BLOCK_AS_IMPLICIT_KEY:
    'expected one "key: value" in a line, found another ":" after the value (is the next line indented too far? Text with ": " in it needs quotes)',
};

/** Words for the mistakes that are made most, and the library's own for the rest. */
export function yamlFaultText({ code, message }: YamlFault): string {
  if (message.includes('call stack')) return 'nested too deeply';
  // The library has one code for all that is missing.
  if (code === 'MISSING_CHAR' && message.startsWith('Implicit map keys')) return NO_COLON;
  return WORDS[code] ?? `not YAML: ${message}`;
}
