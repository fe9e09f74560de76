/** Requests to upgrade, by the byte: what hides behind them, what is no WebSocket, and who answers by itself. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { exchange } from '../support/raw-http';
import {
  get,
  handshake,
  once,
  plain,
  SWITCH,
  statuses,
  until,
  upgradeLab,
} from '../support/upgrade-lab';

describe.each(['node', 'functions-framework'])('the %s host', (name) => {
  const lab = upgradeLab(name);

  describe('a function that does not forward answers as ever', () => {
    test('its own, a failure, a path that nobody has, health', async () => {
      const own = lab.speak(handshake('', '/streams'));
      await own.closed;
      expect(own.text()).toMatch(/^HTTP\/1\.1 200 [\s\S]*"streams"/);
      const lost = lab.speak(handshake().replace('/probe-upgrade/forward', '/nobody'));
      await lost.closed;
      expect(lost.text()).toMatch(/^HTTP\/1\.1 404 [\s\S]*problem\+json[\s\S]*not_found/);
      const health = lab.speak(
        handshake().replace('/probe-upgrade/forward/x', '/health/readiness'),
      );
      await health.closed;
      expect(health.text()).toMatch(/^HTTP\/1\.1 200 /);
      expect(lab.behind).toHaveLength(0);
    });

    test('one that fails when it is shown the stream', async () => {
      const client = lab.speak(handshake('', '/throws/x'));
      await client.closed;
      expect(client.text()).toMatch(/^HTTP\/1\.1 500 [\s\S]*"code":"internal"/);
      await until(() => lab.behind[0]?.ended === true);
    });

    test('one that waits until the server behind has broken off', async () => {
      lab.answer = (came) => {
        once(SWITCH)(came);
        setTimeout(() => came.socket.resetAndDestroy(), 50);
      };
      const client = lab.speak(handshake('', '/late/x'));
      await client.closed;
      expect(client.text()).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n$/);
    });

    test('one that changes its mind after the server behind has agreed', async () => {
      const client = lab.speak(handshake('', '/dropped/x'));
      await client.closed;
      expect(client.text()).toMatch(/^HTTP\/1\.1 200 [\s\S]*something else$/);
      await until(() => lab.behind[0]?.ended === true);
    });
  });

  describe('nothing hides behind a request to upgrade', () => {
    test('what was sent behind a refused one reaches nobody', async () => {
      lab.answer = plain('426 Upgrade Required');
      const client = lab.speak(handshake() + get('/forward/hidden'), get('/forward/later'));
      await client.closed;
      expect(statuses(client.text())).toEqual(['426']);
      expect(lab.behind).toHaveLength(1);
      expect(lab.behind[0]?.text()).toMatch(/^GET \/x HTTP\/1\.1\r\n/);
      expect(lab.behind[0]?.text()).toMatch(/\r\n\r\n$/);
      expect(lab.behind[0]?.text()).not.toMatch(/hidden|later/);
    });

    test('nor before the server has said 101', async () => {
      let release = (): void => undefined;
      lab.answer = (one) => {
        release = () => once(SWITCH)(one);
      };
      const client = lab.speak(handshake(), 'early');
      await until(() => lab.behind[0]?.text().includes('\r\n\r\n') === true);
      await delay(50);
      expect(lab.behind[0]?.text()).toMatch(/\r\n\r\n$/);
      release();
      await until(() => lab.behind[0]?.text().endsWith('\r\n\r\nearly') === true);
      client.socket.destroy();
    });

    test('one with a body is an ordinary request, and what follows the body is the next', async () => {
      const body = get('/forward/hidden');
      const client = lab.speak(
        handshake(`Content-Length: ${body.length}\r\n`, '/echo') + body + get('/streams'),
      );
      await until(() => statuses(client.text()).length === 2);
      expect(client.text()).toContain(JSON.stringify(body));
      expect(client.isClosed()).toBe(false);
      expect(lab.behind).toHaveLength(0);
      client.socket.destroy();
    });

    test('chunks, a length of nothing and a list of lengths', async () => {
      const chunked = lab.speak(
        `${handshake('Transfer-Encoding: chunked\r\n', '/echo')}3\r\nabc\r\n0\r\n\r\n${get('/streams')}`,
      );
      await until(() => statuses(chunked.text()).length === 2);
      expect(chunked.text()).toContain('"body":"abc"');
      chunked.socket.destroy();
      const none = lab.speak(handshake('Content-Length: 0\r\n'));
      await until(() => none.text().includes('\r\n\r\n'));
      expect(statuses(none.text())).toEqual(['101']);
      expect(lab.behind[0]?.text()).not.toMatch(/content-length/i);
      none.socket.destroy();
      const both = lab.speak(handshake('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'));
      await both.closed;
      expect(statuses(both.text())).toEqual(['400']);
    });

    test('a thousand fields do not hide the length of a body', async () => {
      const fields = 'a: b\r\n'.repeat(1_500);
      const body = get('/forward/hidden');
      const client = lab.speak(
        handshake(`${fields}X-Last: last\r\nContent-Length: ${body.length}\r\n`, '/echo') +
          body +
          get('/streams'),
      );
      await until(() => statuses(client.text()).length === 2);
      expect(client.text()).toContain(JSON.stringify(body));
      expect(client.text()).toContain('"last":"last"');
      expect(lab.behind).toHaveLength(0);
      client.socket.destroy();
    });

    test('one behind an answer that is under way is cut, and reaches nobody', async () => {
      lab.answer = ({ socket, text }) => {
        if (text().includes('/slow')) setTimeout(() => socket.end('HTTP/1.1 204 OK\r\n\r\n'), 200);
        else once(SWITCH)({ socket, text, ended: false });
      };
      const client = lab.speak(get('/forward/slow') + handshake());
      await client.closed;
      expect(statuses(client.text())).toEqual([]);
      expect(lab.behind.map(({ text }) => text()).join('')).not.toContain('/x');
      expect((await exchange(lab.host.port, { path: '/health/liveness' })).status).toBe(200);
    });
  });

  describe('any other Upgrade is ignored, and the connection goes on', () => {
    const other = (protocol: string, method = 'GET', more = '', version = '1.1') =>
      `${method} /probe-upgrade/echo HTTP/${version}\r\nHost: test\r\nConnection: keep-alive, Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQ\r\n${more}\r\n`;

    test.each([
      ['h2c', other('h2c'), '"body":""'],
      [
        'h2c with a body',
        `${other('h2c', 'POST', 'Content-Length: 5\r\n')}hello`,
        '"body":"hello"',
      ],
      [
        'h2c with chunks',
        `${other('h2c', 'POST', 'Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n0\r\n\r\n`,
        '"body":"hello"',
      ],
      ['several', other('h2c, websocket'), '"body":""'],
      ['another', other('TLS/1.0'), '"body":""'],
      ['a WebSocket by POST that says nothing', other('websocket', 'POST'), '"body":""'],
      [
        'a WebSocket by POST',
        `${other('websocket', 'POST', 'Content-Length: 2\r\n')}ab`,
        '"body":"ab"',
      ],
    ])('%s', async (_, text, expected) => {
      // The next request in the same packet, and then all again.
      const client = lab.speak(text + get('/streams'));
      await until(() => statuses(client.text()).length === 2);
      client.socket.write(text);
      await until(() => statuses(client.text()).length === 3);
      expect(statuses(client.text())).toEqual(['200', '200', '200']);
      expect(client.text().split(expected)).toHaveLength(3);
      expect(lab.behind).toHaveLength(0);
      client.socket.destroy();
    });

    test('a WebSocket in HTTP/1.0', async () => {
      lab.answer = plain('204 No Content');
      const client = lab.speak(
        other('websocket', 'GET', '', '1.0').replace('/echo', '/forward/old'),
      );
      await until(() => statuses(client.text()).length === 1);
      expect(lab.behind[0]?.text()).toMatch(/^GET \/old HTTP\/1\.1\r\n/);
      expect(lab.behind[0]?.text()).not.toMatch(/^upgrade:/im);
      client.socket.destroy();
    });

    test('a body that is sent only when it is asked for', async () => {
      const client = lab.speak(
        other('h2c', 'POST', 'Content-Length: 5\r\nExpect: 100-continue\r\n'),
      );
      await until(() => client.text().includes('100 Continue'));
      client.socket.write('hello');
      await until(() => client.text().includes('"body":"hello"'));
      client.socket.destroy();
    });

    test('two hundred on one connection', async () => {
      const client = lab.speak();
      for (let i = 1; i <= 200; i += 1) {
        client.socket.write(other('h2c'));
        await until(() => statuses(client.text()).length === i);
      }
      client.socket.destroy();
      expect(lab.host.output()).not.toMatch(/MaxListeners|uncaught/);
    });

    test('it is forwarded without Upgrade and what Connection names', async () => {
      lab.answer = plain('204 No Content');
      const client = lab.speak(other('h2c').replace('/echo', '/forward/plain'));
      await until(() => statuses(client.text()).length === 1);
      expect(lab.behind[0]?.text()).toMatch(/^GET \/plain HTTP\/1\.1\r\n/);
      expect(lab.behind[0]?.text()).not.toMatch(/^(upgrade|http2-settings):/im);
      client.socket.destroy();
    });

    test('CONNECT is cut', async () => {
      const client = lab.speak('CONNECT test:443 HTTP/1.1\r\nHost: test:443\r\n\r\n');
      await client.closed;
      expect(client.text()).toBe('');
    });
  });

  test('fields that Connection names end here, in the request and in the answer', async () => {
    lab.answer = once(
      SWITCH.replace(
        'Connection: upgrade',
        'Connection: upgrade, X-Far\r\nX-Far: far\r\nX-End: end',
      ),
    );
    const client = lab.speak(
      handshake(
        'Connection: X-Near, TE\r\nX-Near: near\r\nTE: trailers\r\nProxy-Authorization: x\r\nX-On: on\r\n',
      ),
    );
    await until(() => client.text().includes('\r\n\r\n'));
    expect(lab.behind[0]?.text()).toMatch(/^x-on: on$/im);
    expect(lab.behind[0]?.text()).not.toMatch(/^(x-near|te|proxy-authorization):/im);
    expect(client.text()).toMatch(/^x-end: end$/im);
    expect(client.text()).toMatch(/^sec-websocket-accept: x$/im);
    expect(client.text()).not.toMatch(/x-far/i);
    client.socket.destroy();
  });
});
