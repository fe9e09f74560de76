/** Where codes go instead of to a phone: to the client that asked for them, at SINK_PORT, a line each. The same for all servers. */
const { connect } = require('node:net');

let socket;

/** Sent once this returns, as far as a server that does not wait for a network can tell. */
exports.tell = (to, code) => {
  socket ??= connect(Number(process.env.SINK_PORT), '127.0.0.1').setNoDelay(true);
  socket.write(`${to} ${code}\n`);
};
