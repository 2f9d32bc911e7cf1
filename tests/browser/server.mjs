//! Servers of a test's own: the program on free ports, with a database of its own. CHOKEPOINT is the program.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = process.env.CHOKEPOINT;
const SERVERS = new URL('../../.ci/servers/', import.meta.url).pathname;

/** Cheap hashes, and no limits: many accounts are made from one address. */
const LENIENT = {
  INSECURE: 'true', BCRYPT_COST: '4', RATE_LIMIT_LOGIN: 'off', RATE_LIMIT_LOGIN_ADDRESS: 'off', RATE_LIMIT_REGISTER: 'off',
};

/** Starts a server with these settings, and returns its addresses once it is ready. */
export async function start(settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'front-'));
  const env = {
    PATH: process.env.PATH, HOME: folder,
    LISTEN: '127.0.0.1:0', OPS_LISTEN: '127.0.0.1:0', LOG_FORMAT: 'json',
    DATABASE_URL: `sqlite://${folder}/test.db`,
    ...LENIENT, ...settings,
  };
  const child = spawn(PROGRAM, [], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  child.stderr.on('data', (text) => said.push(String(text)));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const ready = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (said.length < 50) said.push(line);
      if (line.includes('"message":"ready"')) resolve(JSON.parse(line).fields);
    });
  });
  const fields = await Promise.race([ready, ended.then((code) => {
    throw new Error(`the server ended with ${code}: ${said.join('\n')}`);
  })]);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return {
    app: `http://${fields.app}`,
    ops: `http://${fields.ops}`,
    stop,
    /** The same server with the same data, on the same port, as another process. */
    again: async (more = {}) => {
      await stop();
      return start({ ...settings, DATABASE_URL: env.DATABASE_URL, LISTEN: fields.app, ...more });
    },
  };
}

/** Runs a script of .ci/servers, such as `postgres start`. Returns what it prints. */
export const databases = (name, ...words) =>
  execFileSync(join(SERVERS, name), words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
