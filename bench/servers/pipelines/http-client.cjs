/** node http-client.cjs PORT PATH BODY ANSWER: a driver whose workers POST the body, each on a connection of its own. */
const { connect } = require('node:net');
const { drive } = require('./driver.cjs');

const [port, path, body, expected] = process.argv.slice(2);
const request = Buffer.from(
  `POST ${path} HTTP/1.1\r\nhost: localhost:${port}\r\nprefer: wait=30\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
);

/** On bare sockets: an HTTP client would cost more than some of what is measured. */
const open = () =>
  new Promise((resolve, reject) => {
    let pending = '';
    let settle;
    const socket = connect(Number(port), '127.0.0.1', () =>
      resolve(
        () =>
          new Promise((done, fail) => {
            settle = { done, fail };
            socket.write(request);
          }),
      ),
    );
    socket.setNoDelay(true);
    socket.on('error', (error) => (settle ? settle.fail : reject)(error));
    socket.on('close', () => settle?.fail(new Error('the server has closed the connection')));
    socket.on('data', (part) => {
      pending += part.toString('latin1');
      const head = pending.indexOf('\r\n\r\n');
      if (head < 0) return;
      const [, length] = /\r\ncontent-length: *(\d+)/i.exec(pending.slice(0, head)) ?? [];
      if (length === undefined) return settle.fail(new Error(`not an answer: ${pending}`));
      if (pending.length < head + 4 + Number(length)) return;
      const answer = pending;
      pending = '';
      if (answer.startsWith('HTTP/1.1 200') && answer.includes(expected)) settle.done();
      else settle.fail(new Error(`not the answer: ${answer}`));
    });
  });

drive(open);
