import type { Migration } from './migration.js';

/**
 * What the files of policy revisions hold, each once by its hash: a push stores what has changed, and nodes fetch what they
 * lack. Not compressed (EXTERNAL), so that a piece of a large one can be read without the rest.
 */
export const POLICY_FILES: Migration = {
  version: 2,
  name: '002-policy-files',
  sql: `
    CREATE TABLE siptrust.policy_file (
      sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      octets bigint NOT NULL,
      content bytea NOT NULL CHECK (length(content) = octets),
      stored_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    ALTER TABLE siptrust.policy_file ALTER COLUMN content SET STORAGE EXTERNAL;
  `,
  grants: (role) => `GRANT SELECT, INSERT ON siptrust.policy_file TO ${role};`,
};
