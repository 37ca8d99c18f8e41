import type { Migration } from './migration.js';

/**
 * `changed` is the transaction that wrote a row last. Who has read everything up to the oldest transaction that was open
 * then (pg_snapshot_xmin) finds what came since by `changed >= that`: numbers from a sequence would be seen out of order.
 * What is taken out stays for a while as `gone`, so that nodes that were away hear of it.
 */
export const FIRST: Migration = {
  version: 1,
  name: '001-fleet',
  sql: `
    CREATE TABLE siptrust.policy_revision (
      number bigint PRIMARY KEY CHECK (number > 0),
      -- The revision that its author began from: whoever pushes second on the same one is told.
      base bigint NOT NULL UNIQUE,
      content bytea NOT NULL,
      sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      author text NOT NULL,
      comment text NOT NULL DEFAULT '',
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      -- Ed25519, and the name of the key in daemon.policy_keys.
      signature bytea,
      signed_by text,
      CHECK (base < number)
    );

    CREATE TABLE siptrust.node (
      name text PRIMARY KEY,
      version text NOT NULL,
      state text NOT NULL DEFAULT 'starting',
      -- The revision in force, the one that it was last asked to take, and why it did not.
      revision bigint,
      wanted bigint,
      problem text NOT NULL DEFAULT '',
      started_at timestamptz NOT NULL,
      seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      detail jsonb NOT NULL DEFAULT '{}'
    );

    CREATE TABLE siptrust.pin (
      agreement text NOT NULL,
      spki_sha256 text NOT NULL,
      certificate_sha256 text NOT NULL,
      subject text NOT NULL,
      identities text[] NOT NULL,
      not_after timestamptz NOT NULL,
      first_seen timestamptz NOT NULL,
      last_seen timestamptz NOT NULL,
      count bigint NOT NULL,
      approved_at timestamptz,
      gone boolean NOT NULL DEFAULT false,
      changed xid8 NOT NULL DEFAULT pg_current_xact_id(),
      PRIMARY KEY (agreement, spki_sha256)
    );
    CREATE INDEX pin_changed ON siptrust.pin (changed);

    CREATE TABLE siptrust.tls_seen (
      domain text PRIMARY KEY,
      seen_at timestamptz NOT NULL,
      changed xid8 NOT NULL DEFAULT pg_current_xact_id()
    );
    CREATE INDEX tls_seen_changed ON siptrust.tls_seen (changed);

    CREATE TABLE siptrust.certificate (
      sha256 text PRIMARY KEY,
      der bytea NOT NULL,
      octets integer GENERATED ALWAYS AS (length(der)) STORED,
      last_seen timestamptz NOT NULL,
      partner boolean NOT NULL
    );
    CREATE INDEX certificate_room ON siptrust.certificate (partner, last_seen, octets);

    CREATE TABLE siptrust.token (
      name text PRIMARY KEY,
      id text NOT NULL UNIQUE,
      role text NOT NULL,
      created_at timestamptz NOT NULL,
      scrypt jsonb NOT NULL
    );

    CREATE TABLE siptrust.audit (
      id uuid PRIMARY KEY,
      node text NOT NULL,
      at timestamptz NOT NULL,
      method text NOT NULL,
      params jsonb NOT NULL,
      outcome text NOT NULL,
      wire text NOT NULL,
      peer text NOT NULL,
      credential text NOT NULL,
      claimed text NOT NULL,
      revision_before bigint NOT NULL,
      revision_after bigint NOT NULL,
      stored_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX audit_at ON siptrust.audit (at);

    -- What one node fetched for all: lists by their URL, statuses by responder and certificate.
    CREATE TABLE siptrust.fetched (
      kind text NOT NULL CHECK (kind IN ('crl', 'ocsp')),
      source text NOT NULL,
      body bytea,
      etag text,
      last_modified text,
      fetched_at timestamptz,
      node text NOT NULL DEFAULT '',
      -- Who fetches it now, and until when nobody else has to.
      claimed_until timestamptz,
      PRIMARY KEY (kind, source)
    );

    -- Says which database this is: a node that was told of another one begins anew.
    CREATE TABLE siptrust.identity (id uuid NOT NULL DEFAULT gen_random_uuid());
    INSERT INTO siptrust.identity DEFAULT VALUES;
  `,
  grants: (role) => `
    GRANT USAGE ON SCHEMA siptrust TO ${role};
    GRANT SELECT ON siptrust.migration, siptrust.identity TO ${role};
    -- What happened stays as it was.
    GRANT SELECT, INSERT ON siptrust.policy_revision, siptrust.audit TO ${role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON siptrust.node, siptrust.pin, siptrust.tls_seen, siptrust.certificate,
      siptrust.token, siptrust.fetched TO ${role};
  `,
};
