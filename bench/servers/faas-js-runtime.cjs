const { start } = require('faas-js-runtime');
const { complete } = require('./complete.cjs');

const handle = ({ method, headers }, body) => ({ body: complete(method, '/', headers, body) });
start(handle, { port: Number(process.env.PORT) });
