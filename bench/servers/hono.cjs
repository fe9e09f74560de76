const { serve } = require('@hono/node-server');
const { Hono } = require('hono');
const { complete } = require('./complete.cjs');

const app = new Hono();
app.post('/', async ({ req, json }) =>
  json(complete(req.method, req.path, req.header(), await req.json())),
);
serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: '127.0.0.1' });
