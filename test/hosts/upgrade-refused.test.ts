/** Requests for a WebSocket that are refused, by the byte: by the server behind, or because that is none. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { handshake, once, plain, statuses, until, upgradeLab } from '../support/upgrade-lab';

describe.each(['node', 'functions-framework'])('the %s host', (name) => {
  const lab = upgradeLab(name);

  describe('a refusal is an answer like any other', () => {
    test.each([
      ['200 OK', 'hello'],
      ['400 Bad Request', 'no'],
      ['401 Unauthorized', ''],
      ['404 Not Found', 'x'.repeat(500_000)],
      ['426 Upgrade Required', 'later'],
      ['503 Service Unavailable', ''],
    ])('%s', async (status, body) => {
      lab.answer = plain(
        status,
        body,
        'WWW-Authenticate: Basic realm="x"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n',
      );
      const client = lab.speak(handshake());
      await client.closed;
      const [head = '', ...rest] = client.text().split('\r\n\r\n');
      expect(statuses(head)).toEqual([status.slice(0, 3)]);
      expect(rest.join('\r\n\r\n')).toBe(body);
      expect(head).toMatch(/^www-authenticate: Basic realm="x"$/im);
      expect(head.match(/^set-cookie: .*$/gim)).toHaveLength(2);
      expect(head).toMatch(/^connection: close$/im);
      expect(head).toMatch(/^x-request-id: /im);
      expect(head).not.toMatch(/^upgrade/im);
    });

    test('in chunks, and what its server breaks off the client sees broken', async () => {
      lab.answer = once(
        'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      );
      const whole = lab.speak(handshake());
      await whole.closed;
      expect(whole.text()).toMatch(/403[\s\S]*\r\n3\r\nabc\r\n0\r\n\r\n$/);
      lab.answer = (came) => {
        once('HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')(came);
        setTimeout(() => came.socket.destroy(), 50);
      };
      const broken = lab.speak(handshake());
      await broken.closed;
      expect(broken.text()).toMatch(/403[\s\S]*abc\r\n$/);
    });

    test('it arrives whole, however much its client goes on to say, and however slowly it reads', async () => {
      for (const size of [32 * 2 ** 20, 2 ** 16]) {
        lab.answer = plain('403 Forbidden', 'y'.repeat(size));
        const client = lab.speak(handshake());
        client.socket.pause();
        for (let i = 0; i < 3; i += 1) {
          await delay(100);
          client.socket.write(Buffer.alloc(2 ** 20, 1));
        }
        // What nobody reads stays where it comes from.
        expect(lab.behind.at(-1)?.socket.writableLength).toBeGreaterThanOrEqual(
          size - 16 * 2 ** 20,
        );
        client.socket.resume();
        await client.closed;
        expect(client.text().split('\r\n\r\n')[1]).toHaveLength(size);
      }
    });

    test('a client that leaves in the middle of it ends it behind, and so does a signal', async () => {
      lab.answer = once('HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nabc');
      const leaver = lab.speak(handshake('', '/never/x'));
      await until(() => leaver.text().includes('abc'));
      leaver.socket.destroy();
      await until(() => lab.behind[0]?.ended === true);
      const cut = lab.speak(handshake('', '/soon/x'));
      await cut.closed;
      expect(cut.text()).toMatch(/abc$/);
      await until(() => lab.behind[1]?.ended === true);
    });
  });

  describe('what is no WebSocket is 502, and what is no answer 504', () => {
    test.each([
      ['another protocol', 'HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'],
      ['101 without a word to what', 'HTTP/1.1 101 OK\r\n\r\n'],
      ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
      ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ])('%s', async (_, text) => {
      lab.answer = once(text);
      const client = lab.speak(handshake());
      await client.closed;
      expect(client.text()).toMatch(/^HTTP\/1\.1 502 [\s\S]*"code":"upstream_invalid"/);
    });

    test('an end, silence, and nobody there', async () => {
      lab.answer = ({ socket }) => socket.end();
      const ended = lab.speak(handshake());
      await ended.closed;
      expect(ended.text()).toMatch(/^HTTP\/1\.1 502 [\s\S]*"code":"upstream_unreachable"/);
      lab.answer = () => undefined;
      const silent = lab.speak(handshake());
      await silent.closed;
      expect(silent.text()).toMatch(/^HTTP\/1\.1 504 [\s\S]*"code":"upstream_timeout"/);
      await until(() => lab.behind.every((one) => one.ended));
    });
  });
});
