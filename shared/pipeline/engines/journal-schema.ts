/**
 * The tables of the journal.
 *
 * Everything of a run stands under its serial number, which only grows: what is written together lies together, and a
 * million finished runs are not in the way of those under way. Instants are ms since the epoch.
 */

/** Marks the file as a journal: "run" and a serial number. */
export const APPLICATION_ID = 0x72756e02;

export const MIGRATIONS = [
  `CREATE TABLE graphs (serial INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, pipeline TEXT NOT NULL);
   CREATE TABLE runs (
     serial INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, pipeline TEXT NOT NULL, graph INTEGER NOT NULL,
     state TEXT NOT NULL, created_at INTEGER NOT NULL, deadline_at INTEGER NOT NULL, ended_at INTEGER,
     due_at INTEGER NOT NULL, expires_at INTEGER, key TEXT, fingerprint TEXT NOT NULL, traceparent TEXT NOT NULL,
     notes TEXT, input TEXT NOT NULL
   );
   CREATE UNIQUE INDEX runs_key ON runs (pipeline, key) WHERE key IS NOT NULL;
   CREATE INDEX runs_listed ON runs (pipeline, state, created_at, serial);
   CREATE INDEX runs_graph ON runs (graph);
   CREATE INDEX runs_open ON runs (due_at, serial) WHERE state = 'running';
   CREATE INDEX runs_expiry ON runs (expires_at) WHERE expires_at IS NOT NULL;
   CREATE TABLE steps (run INTEGER NOT NULL, step TEXT NOT NULL, result TEXT NOT NULL, PRIMARY KEY (run, step)) WITHOUT ROWID;
   CREATE TABLE dead_letters (
     pipeline TEXT NOT NULL, run INTEGER NOT NULL, step TEXT NOT NULL, code TEXT NOT NULL,
     PRIMARY KEY (pipeline, run, step)
   ) WITHOUT ROWID;
   CREATE INDEX dead_letters_step ON dead_letters (pipeline, step, run);
   CREATE INDEX dead_letters_code ON dead_letters (pipeline, code, run, step);
   CREATE TABLE gone_targets (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;`,
];
