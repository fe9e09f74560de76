/** One kept connection on a bare socket: an HTTP client would cost more than some of what is measured. */
const { connect } = require('node:net');

/** Resolves to { post, close }; `post(path, body)` to { status, text }, one request at a time. */
exports.open = (port, headers = {}) =>
  new Promise((resolve, reject) => {
    const own = Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    let pending = '';
    let settle;
    const post = (path, body) =>
      new Promise((done, fail) => {
        settle = { done, fail };
        socket.write(
          `POST ${path} HTTP/1.1\r\nhost: localhost:${port}\r\n${own}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
      });
    const socket = connect(port, '127.0.0.1', () =>
      resolve({ post, close: () => socket.destroy() }),
    );
    socket.setNoDelay(true);
    socket.on('error', (error) => (settle ? settle.fail : reject)(error));
    socket.on('close', () => settle?.fail(new Error('the server has closed the connection')));
    socket.on('data', (part) => {
      pending += part.toString('latin1');
      const head = pending.indexOf('\r\n\r\n') + 4;
      if (head < 4 || !isWhole(pending, head)) return;
      const answer = pending;
      pending = '';
      const { done } = settle;
      settle = undefined;
      done({ status: Number(answer.slice(9, 12)), text: answer.slice(head) });
    });
  });

/** Either its length is told, or the last chunk is empty. */
const isWhole = (answer, head) => {
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(answer.slice(0, head)) ?? [];
  return length === undefined
    ? answer.endsWith('\r\n0\r\n\r\n')
    : answer.length >= head + Number(length);
};
