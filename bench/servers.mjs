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
const peer = (name) => ({ args: [path.join(servers, `${name}.cjs`)] });
const stock = (file, target) => ({
  args: [frameworkCli, `--source=${path.join(servers, file)}`, `--target=${target}`],
});

/** Made by the set-up, from a function of the suite. */
export const SAME_WORK = path.join(root, 'bench/node_modules/.cache/same-work.cjs');

export const NODE_HTTP = 'node:http';
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

/** The first request of each is a real one: JSON in, JSON out; with the store, a user is on the disk. */
export const COLD_STARTS = {
  [NODE_HTTP]: { ...peer('node-http'), body: ORDER },
  'node host, add-defaults': { ...ours('node', add), body: ORDER },
  'node host, create-user (sqlite)': {
    ...ours('node', { FUNCTION_TARGET: 'create-user' }),
    body: newUser,
  },
  'functions-framework host, add-defaults': {
    ...ours('functions-framework', add),
    body: ORDER,
  },
  [STOCK_HELLO]: { ...stock('hello.js', 'hello'), body: ORDER },
  'functions-framework hello (.cjs)': { ...stock('hello.cjs', 'hello'), body: ORDER },
  'hono 4': { ...peer('hono'), body: ORDER },
  'express 5': { ...peer('express'), body: ORDER },
  'fastify 5': { ...peer('fastify'), body: ORDER },
};

/** All of them give the same answer to the same request. */
export const THROUGHPUT = {
  [NODE_HTTP]: peer('node-http'),
  'node host, add-defaults': ours('node', add),
  'node host, the same work by hand': {
    args: [SAME_WORK],
    environment: { FUNCTION_TARGET: 'same-work' },
  },
  'functions-framework host, add-defaults': ours('functions-framework', add),
  'functions-framework (.cjs)': stock('functions-framework.cjs', 'complete'),
  'hono 4': peer('hono'),
  'express 5': peer('express'),
  'fastify 5': peer('fastify'),
};

export const THROUGHPUT_BODY = ORDER;
