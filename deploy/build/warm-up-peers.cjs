/**
 * What a first request may speak to: an HTTP server that takes what functions forward, the calls of pipeline steps and the
 * messages of Twilio's API, and an SMTP server. Both say yes to everything.
 */
const http = require('node:http');
const net = require('node:net');

const message = {
  sid: `SM${'0'.repeat(32)}`,
  status: 'queued',
  body: '',
  error_code: null,
  error_message: null,
  date_created: 'Thu, 01 Jan 2026 00:00:00 +0000',
};

const answers = (taken) => (request, response) => {
  const isMessage = /^\/2010-04-01\/Accounts\/\w+\/Messages\.json$/.test(request.url);
  request.resume().on('end', () => {
    const text = JSON.stringify(isMessage ? message : {});
    response.writeHead(isMessage ? 201 : 200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
    if (isMessage) taken();
  });
};

const smtp = (taken) => (socket) => {
  let inside = false;
  let rest = '';
  const say = (line) => socket.write(`${line}\r\n`);
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    const lines = (rest + bytes.toString('latin1')).split('\r\n');
    rest = lines.pop();
    for (const line of lines) {
      if (inside) {
        if (line !== '.') continue;
        inside = false;
        say('250 taken');
        taken();
        continue;
      }
      const verb = line.slice(0, 4).toUpperCase();
      inside = verb === 'DATA';
      say(inside ? '354 go on' : verb === 'QUIT' ? '221 bye' : '250 yes');
    }
  });
  say('220 here');
};

/** Resolves with a free port of the loopback. */
const listenOn = (server) =>
  new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      server.unref();
      resolve(server.address().port);
    }),
  );

/** With the settings of who speaks to them; `taken` is called for each message. */
exports.startPeers = async (taken = () => {}) => {
  const [web, mail] = await Promise.all([
    listenOn(http.createServer(answers(taken))),
    listenOn(net.createServer(smtp(taken))),
  ]);
  const url = `http://127.0.0.1:${web}`;
  return {
    url,
    senders: {
      SMTP_URL: `smtp://127.0.0.1:${mail}`,
      MAIL_FROM: 'Suite <suite@example.com>',
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: '0'.repeat(32),
      TWILIO_FROM: '+12025550100',
      TWILIO_BASE_URL: url,
    },
  };
};
