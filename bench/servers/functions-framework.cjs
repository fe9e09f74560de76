const functions = require('@google-cloud/functions-framework');
const { complete } = require('./complete.cjs');

functions.http('complete', ({ method, url, headers, body }, response) => {
  response.json(complete(method, url, headers, body));
});
