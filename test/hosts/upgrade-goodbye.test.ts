/** How a WebSocket ends, by the byte: by either side, in the middle of a frame, during the handshake. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { closeFrame } from '../../shared/websocket/frames';
import { exchange } from '../support/raw-http';
import {
  type Behind,
  handshake,
  once,
  SWITCH,
  talk,
  until,
  upgradeLab,
} from '../support/upgrade-lab';

describe.each(['node', 'functions-framework'])('the %s host', (name) => {
  const lab = upgradeLab(name);

  test('one side may end while the other still speaks', async () => {
    const { client, peer, spoken, heard } = await lab.open();
    client.socket.end('last words');
    await until(() => peer.ended);
    expect(heard()).toBe('last words');
    peer.socket.write('still ');
    await delay(50);
    peer.socket.end('here');
    await client.closed;
    expect(spoken().toString()).toBe('still here');
  });

  test('the same the other way round', async () => {
    const { client, peer, spoken, heard } = await lab.open();
    peer.socket.end('last words');
    await until(() => client.isEnded());
    expect(spoken().toString()).toBe('last words');
    client.socket.write('still ');
    await delay(50);
    client.socket.end('here');
    await until(() => peer.ended);
    expect(heard()).toBe('still here');
  });

  test('a server that stays when its client has ended is left in seconds', async () => {
    const { client, peer } = await lab.open();
    client.socket.end();
    await until(() => peer.ended);
    await client.closed;
  });

  test('a client that stays when its server has ended is left in seconds', async () => {
    const { client, peer } = await lab.open();
    peer.socket.end();
    // That nobody is there any more, one hears who speaks.
    await until(() => {
      client.socket.write('x');
      return client.isClosed();
    });
  });

  test('what a server has said before its connection breaks still arrives', async () => {
    const { client, peer, spoken } = await lab.open();
    client.socket.pause();
    const frame = Buffer.concat([
      Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0x10, 0, 0]),
      Buffer.alloc(2 ** 20, 7),
    ]);
    peer.socket.write(frame);
    await until(() => peer.socket.writableLength === 0);
    peer.socket.resetAndDestroy();
    await delay(50);
    client.socket.resume();
    await until(() => client.isEnded() || client.isClosed());
    expect(spoken().length).toBeLessThanOrEqual(frame.length);
    expect(spoken().length).toBeGreaterThan(0);
  });

  test('the goodbye waits for the end of a frame and nothing comes behind it', async () => {
    const { client, peer, spoken, heard } = await lab.open();
    const text = Buffer.from([0x81, 5, ...Buffer.from('hello')]);
    const masked = Buffer.from([0x82, 0x83, 0, 0, 0, 0, 1, 2, 3]);
    peer.socket.write(text.subarray(0, 4));
    client.socket.write(masked.subarray(0, 7));
    await until(() => spoken().length === 4 && heard().length === 7);
    await lab.end();
    await delay(100);
    expect(spoken().length).toBe(4);
    expect(heard().length).toBe(7);
    peer.socket.write(Buffer.concat([text.subarray(4), text]));
    client.socket.write(Buffer.concat([masked.subarray(7), masked]));
    await until(() => client.isEnded() && peer.ended);
    expect(spoken()).toEqual(Buffer.concat([text, closeFrame(1012)]));
    const said = Buffer.from(heard(), 'latin1');
    expect(said.subarray(0, 9)).toEqual(masked);
    expect(said.subarray(9)).toEqual(Buffer.from(closeFrame(1001, said.subarray(11, 15))));
    expect(said.length).toBe(17);
    expect(said.subarray(11, 15)).not.toEqual(Buffer.alloc(4));
  });

  test('a client that stays when its server has broken off is left in seconds', async () => {
    const { client, peer } = await lab.open();
    peer.socket.resetAndDestroy();
    await until(() => client.isEnded());
    while (!client.isClosed()) {
      client.socket.write('?');
      await delay(50);
    }
  });

  test('what a client says to nobody is thrown away, and its end is the end', async () => {
    const { client, peer } = await lab.open();
    peer.socket.resetAndDestroy();
    await until(() => client.isEnded());
    client.socket.end(Buffer.alloc(16 * 2 ** 20, 1));
    await until(() => client.isClosed(), 1_500);
    expect(client.socket.errored).toBeNull();
  });

  test('a signal cuts it', async () => {
    const client = lab.speak(handshake('', '/soon/x'));
    await client.closed;
    expect(client.text()).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n$/);
    await until(() => lab.behind[0]?.ended === true);
  });

  test('the first goodbye counts', async () => {
    const fresh = await lab.start();
    const client = talk(fresh.port, [handshake()]);
    await until(() => client.text().includes('\r\n\r\n'));
    const head = client.bytes().length;
    const peer = lab.behind[0] as Behind;
    peer.socket.write(Buffer.from([0x82, 2, 1]));
    await until(() => client.bytes().length === head + 3);
    await exchange(fresh.port, { path: '/probe-upgrade/end' });
    const stopped = fresh.stop('SIGTERM');
    await delay(300);
    peer.socket.write(Buffer.from([2]));
    await client.closed;
    expect(client.bytes().subarray(head + 4)).toEqual(Buffer.from(closeFrame(1012)));
    expect(await stopped).toBe(0);
  });

  test('a frame that never ends is cut in seconds', async () => {
    const { client, peer, spoken } = await lab.open();
    peer.socket.write(Buffer.from([0x82, 126, 1, 0, 1, 2, 3]));
    await until(() => spoken().length === 7);
    const began = Date.now();
    await lab.end();
    await until(() => client.isEnded());
    expect(Date.now() - began).toBeGreaterThan(1_500);
    expect(Date.now() - began).toBeLessThan(20_000);
    expect(spoken().length).toBe(7);
    await until(() => peer.ended);
  });

  test('whoever has said Close says it once', async () => {
    const { client, peer, spoken, heard } = await lab.open();
    const close = Buffer.from(closeFrame(1001));
    peer.socket.write(close);
    await until(() => spoken().length === 4);
    await lab.end();
    await until(() => client.isEnded());
    expect(spoken()).toEqual(close);
    // The other direction has not said it yet.
    await until(() => peer.ended);
    expect(heard().length).toBe(8);
  });

  test('what a client says behind its end is heard by nobody, and it is not cut off for it', async () => {
    const { client, peer, heard } = await lab.open();
    await lab.end();
    await until(() => client.isEnded());
    const before = heard().length;
    client.socket.write(Buffer.alloc(32 * 2 ** 20, 1));
    await until(() => client.socket.writableLength === 0, 1_500);
    expect(client.socket.errored).toBeNull();
    expect(heard().length).toBe(before);
    client.socket.end();
    peer.socket.end();
    await client.closed;
  });

  test('a client that leaves during the handshake ends it behind', async () => {
    lab.answer = () => undefined;
    const client = lab.speak(handshake());
    await until(() => lab.behind.length === 1);
    client.socket.destroy();
    await until(() => lab.behind[0]?.ended === true, 1_000);
    const reset = lab.speak(handshake());
    await until(() => lab.behind.length === 2);
    reset.socket.resetAndDestroy();
    await until(() => lab.behind[1]?.ended === true, 1_000);
  });

  test('what a client says too early is kept, but not without end', async () => {
    let release = (): void => undefined;
    lab.answer = (one) => {
      release = () => once(SWITCH)(one);
    };
    const client = lab.speak(handshake(), Buffer.alloc(30 * 2 ** 20, 1));
    await until(() => lab.behind[0]?.text().includes('\r\n\r\n') === true);
    await delay(200);
    expect(client.socket.writableLength).toBeGreaterThan(10 * 2 ** 20);
    const head = lab.behind[0]?.text().length as number;
    release();
    let heard = 0;
    lab.behind[0]?.socket.removeAllListeners('data').on('data', (part: Buffer) => {
      heard += part.length;
    });
    await until(() => heard === 30 * 2 ** 20);
    expect(head).toBeLessThan(2_000);
    client.socket.destroy();
  });
});
