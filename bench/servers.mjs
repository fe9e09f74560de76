/** What is measured. Each is started by `args`, gets its PORT, and answers the request with 2xx. */
import path from 'node:path';
import { root } from './machine.mjs';

const servers = path.join(root, 'bench/servers');
const dist = path.join(root, 'dist');
const frameworkCli = path.join(
  root,
  'node_modules/@google-cloud/functions-framework/build/src/main.js',
);

const ours = (host, environment) => ({ args: [path.join(dist, `${host}.cjs`)], environment });
/** The bundle of one function, which knows whom it serves. */
const alone = (name, environment) => ({
  args: [path.join(dist, 'functions', name, 'node.cjs')],
  environment,
});
const peer = (name) => ({ args: [path.join(servers, `${name}.cjs`)] });
const stock = (file, target) => ({
  args: [frameworkCli, `--source=${path.resolve(servers, file)}`, `--target=${target}`],
});

/** Made by the set-up, from functions of the suite. */
const made = (name) => path.join(root, `bench/node_modules/.cache/${name}.cjs`);
export const SAME_WORK = made('same-work');
export const SAME_CODE = made('same-code');

export const NODE_HTTP = 'node:http';
/** What add-defaults reads, completes and checks, without a host around it. */
export const BARE = "node:http, add-defaults' own code";
export const STOCK = 'functions-framework (.cjs)';
export const STOCK_HELLO = 'functions-framework hello (.js)';

/** 237 bytes, as one may send; `color` is what is missing. */
const ORDER = JSON.stringify({
  name: 'first-order',
  items: [
    { sku: 'A-1001', quantity: 2, price: 19.9 },
    { sku: 'B-2040', quantity: 1, price: 149 },
  ],
  customer: { id: 48213, email: 'user@example.com', city: 'Berlin' },
  note: 'Please leave it at the door.',
  express: true,
});

const add = { FUNCTION_TARGET: 'add-defaults' };
/** A user that nobody has created before. */
const newUser = () => {
  const name = `user-${Math.random().toString(36).slice(2)}`;
  return JSON.stringify({ username: name, email: `${name}@example.com` });
};

/** Asked of two-factor: a code for a number that nobody has had one for. */
const newNumber = () =>
  JSON.stringify({
    user: `user-${Math.random().toString(36).slice(2)}`,
    phoneNumber: `+1202555${String(Math.floor(Math.random() * 1e4)).padStart(4, '0')}`,
  });

/**
 * The first request of each is a real one: JSON in, JSON out; with the store, what it says is on the disk. `peers` is given
 * the URL of who is forwarded to, and the settings to send messages with. `sends`: it ends when a message has been taken.
 */
export const coldStarts = ({ url, senders }) => ({
  [NODE_HTTP]: { ...peer('node-http'), body: ORDER },
  'node host, add-defaults': { ...alone('add-defaults'), body: ORDER },
  'node host, shard-owner': { ...alone('shard-owner'), body: ORDER, path: '/users/7' },
  'node host, add-defaults, forwards': {
    ...alone('add-defaults', { ADD_DEFAULTS_TARGET: url }),
    body: ORDER,
  },
  'node host, shard-router, forwards': {
    ...alone('shard-router', { SHARD_ROUTER_CONFIG: shards(url) }),
    body: ORDER,
    path: '/users/7',
  },
  'node host, create-user (sqlite)': { ...alone('create-user'), body: newUser },
  'node host, email-user, mail sent (sqlite)': {
    ...alone('email-user', senders),
    body: newUser,
    sends: true,
  },
  'node host, two-factor, SMS sent (sqlite)': {
    ...alone('two-factor', senders),
    body: newNumber,
    sends: true,
  },
  'functions-framework host, add-defaults': {
    ...ours('functions-framework', add),
    body: ORDER,
  },
  'functions-framework (.cjs), add-defaults': {
    ...stock(path.join(dist, 'functions/add-defaults/functions-framework.cjs'), 'add-defaults'),
    body: ORDER,
  },
  [STOCK_HELLO]: { ...stock('hello.js', 'hello'), body: ORDER },
  'functions-framework hello (.cjs)': { ...stock('hello.cjs', 'hello'), body: ORDER },
  'hono 4': { ...peer('hono'), body: ORDER },
  'express 5': { ...peer('express'), body: ORDER },
  'fastify 5': { ...peer('fastify'), body: ORDER },
  'faas-js-runtime 3': { ...peer('faas-js-runtime'), body: ORDER },
});

const shards = (url) =>
  JSON.stringify({
    mode: 'native',
    shards: [{ address: new URL(url).host }],
    key: { path: 2 },
  });

/** All of them give the same answer to the same request. */
export const THROUGHPUT = {
  [NODE_HTTP]: peer('node-http'),
  [BARE]: { args: [SAME_CODE] },
  'node host, add-defaults': alone('add-defaults'),
  'node host, the same work by hand': {
    args: [SAME_WORK],
    environment: { FUNCTION_TARGET: 'same-work' },
  },
  'functions-framework host, add-defaults': ours('functions-framework', add),
  [STOCK]: stock('functions-framework.cjs', 'complete'),
  'hono 4': peer('hono'),
  'express 5': peer('express'),
  'fastify 5': peer('fastify'),
  'faas-js-runtime 3': peer('faas-js-runtime'),
};

export const THROUGHPUT_BODY = ORDER;
