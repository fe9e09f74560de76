const express = require('express');
const { complete } = require('./complete.cjs');

const app = express();
app.use(express.json());
app.post('/', (request, response) => {
  response.json(complete(request.method, request.url, request.headers, request.body));
});
app.listen(Number(process.env.PORT), '127.0.0.1');
